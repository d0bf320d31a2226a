/* SPDX-License-Identifier: MIT */
/*
 * How our client judges a server's certificate: by its hash with the rules of browsers, by authorities and the name,
 * or not at all. The certificates are made here, each with one thing that is right or wrong.
 */
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "quic/tls_session.h"
#include "world.h"

#define DAY 86400

/* Self-signed, for `name`, valid from `from` to `until`, in seconds from now. */
static wt_certificate *certificate_make(gnutls_pk_algorithm_t algorithm, unsigned bits, int from, int until,
                                        const char *name, char *pem, size_t pem_size) {
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t leaf;
  uint8_t serial[] = {0x51, 0x02};
  char key_pem[8192], message[256];
  size_t pem_len = pem_size - 1, key_len = sizeof(key_pem);
  wt_certificate *certificate = NULL;
  assert_int_equal(gnutls_x509_privkey_init(&key), 0);
  assert_int_equal(gnutls_x509_privkey_generate(key, algorithm, bits, 0), 0);
  assert_int_equal(gnutls_x509_crt_init(&leaf), 0);
  assert_int_equal(gnutls_x509_crt_set_key(leaf, key), 0);
  assert_int_equal(gnutls_x509_crt_set_version(leaf, 3), 0);
  assert_int_equal(gnutls_x509_crt_set_serial(leaf, serial, sizeof(serial)), 0);
  assert_int_equal(gnutls_x509_crt_set_dn(leaf, "CN=test", NULL), 0);
  assert_int_equal(gnutls_x509_crt_set_activation_time(leaf, time(NULL) + from), 0);
  assert_int_equal(gnutls_x509_crt_set_expiration_time(leaf, time(NULL) + until), 0);
  assert_int_equal(gnutls_x509_crt_set_subject_alt_name(leaf, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), 0), 0);
  assert_int_equal(gnutls_x509_crt_sign2(leaf, leaf, key, GNUTLS_DIG_SHA256, 0), 0);
  assert_int_equal(gnutls_x509_crt_export(leaf, GNUTLS_X509_FMT_PEM, pem, &pem_len), 0);
  assert_int_equal(gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_PEM, key_pem, &key_len), 0);
  pem[pem_len] = '\0';
  int error = wt_certificate_parse(pem, pem_len, key_pem, key_len, &certificate, message, sizeof(message));
  if (error) fail_msg("%s", message);
  gnutls_x509_crt_deinit(leaf);
  gnutls_x509_privkey_deinit(key);
  return certificate;
}

static wt_certificate *certificate_p256(int from, int until, char *pem, size_t pem_size) {
  return certificate_make(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), from, until, "localhost",
                          pem, pem_size);
}

/* A connection to a server with `certificate`. 0 once it is ready, or the error it ended with. */
static int outcome(wt_certificate *certificate, const struct wt__tls_client_options *options, const char *server_name,
                   char *reason, size_t size) {
  struct net net;
  struct server server;
  struct client client;
  struct sockaddr_in address = server_address();
  net_init(&net, 1);
  server_init(&server, &net);
  assert_int_equal(wt__tls_context_set_certificates(server.tls, &certificate, 1), 0);
  client_init(&client, &net, 1);
  client.tls_options = *options;
  client.connect.server_name = server_name;
  server_start(&server);
  client_start(&client);
  struct client_link *link = client_connect(&client, &address, NULL);
  NET_UNTIL(&net, 5000, link->ready || link->ends);
  int error = link->ready ? 0 : link->end.error;
  snprintf(reason, size, "%s", link->end.reason);
  if (!link->ready) { /* the server is told no more than an alert */
    assert_int_equal(link->end.by, link->end.cause == WT_CAUSE_PEER ? WT_PEER : WT_TRANSPORT);
    assert_false(link->end.is_h3);
    assert_in_range(link->end.wire_code, 0x100, 0x1ff);
  }
  client_free(&client);
  server_free(&server);
  net_free(&net);
  return error;
}

static void hash_case(wt_certificate *certificate, bool flip, const char *refusal) {
  uint8_t hashes[2][32] = {{0}};
  char reason[256];
  struct wt__tls_client_options options = {.verify = WT__VERIFY_HASHES, .hashes = hashes, .hash_count = 2};
  wt_certificate_get_sha256(certificate, hashes[1]);
  if (flip) hashes[1][31] ^= 1;
  /* The name is of no account. */
  int error = outcome(certificate, &options, "elsewhere.example", reason, sizeof(reason));
  assert_int_equal(error, refusal ? WT_ERR_CERTIFICATE : 0);
  if (refusal && !strstr(reason, refusal)) fail_msg("\"%s\" does not say \"%s\"", reason, refusal);
  wt_certificate_free(certificate);
}

static void test_client_tls_known_hash_is_enough(void **state) {
  (void)state;
  char pem[8192];
  hash_case(certificate_p256(-DAY, 13 * DAY, pem, sizeof(pem)), false, NULL);
}

static void test_client_tls_unknown_hash_is_refused(void **state) {
  (void)state;
  char pem[8192];
  hash_case(certificate_p256(-DAY, 12 * DAY, pem, sizeof(pem)), true, "is another one than expected: its hash is ");
}

static void test_client_tls_hash_of_a_certificate_over_14_days_is_refused(void **state) {
  (void)state;
  char pem[8192];
  hash_case(certificate_p256(-DAY, 13 * DAY + 60, pem, sizeof(pem)), false, "14 days");
}

static void test_client_tls_hash_of_an_rsa_certificate_is_refused(void **state) {
  (void)state;
  char pem[8192];
  hash_case(certificate_make(GNUTLS_PK_RSA, 2048, -DAY, DAY, "localhost", pem, sizeof(pem)), false, "ECDSA");
}

static void test_client_tls_authority_and_name_are_checked(void **state) {
  (void)state;
  char pem[8192], reason[256], path[] = "/tmp/wt-client-tls-XXXXXX";
  wt_certificate *certificate = certificate_p256(-DAY, 300 * DAY, pem, sizeof(pem)), *other;
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, pem, strlen(pem)), strlen(pem));
  close(fd);
  struct wt__tls_client_options options = {.verify = WT__VERIFY_CA, .ca_file = path};
  assert_int_equal(outcome(certificate, &options, "localhost", reason, sizeof(reason)), 0);
  assert_int_equal(outcome(certificate, &options, "localhost.", reason, sizeof(reason)), 0); /* RFC 6066, section 3 */
  assert_int_equal(outcome(certificate, &options, "LOCALHOST.", reason, sizeof(reason)), 0);
  assert_int_equal(outcome(certificate, &options, "localhost..", reason, sizeof(reason)), WT_ERR_CERTIFICATE);
  assert_int_equal(outcome(certificate, &options, "elsewhere.example", reason, sizeof(reason)), WT_ERR_CERTIFICATE);
  assert_non_null(strstr(reason, "elsewhere.example"));
  other = certificate_p256(-DAY, 300 * DAY, pem, sizeof(pem));
  assert_int_equal(outcome(other, &options, "localhost", reason, sizeof(reason)), WT_ERR_CERTIFICATE);
  wt_certificate_free(other);
  wt_certificate_free(certificate);
  unlink(path);
}

/* As containers are called, by both sides of ours: SNI, certificate and check. */
static void test_client_tls_name_with_an_underscore(void **state) {
  (void)state;
  char pem[8192], reason[256], path[] = "/tmp/wt-client-tls-XXXXXX";
  wt_certificate *certificate = certificate_make(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
                                                 -DAY, 300 * DAY, "my_service", pem, sizeof(pem));
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, pem, strlen(pem)), strlen(pem));
  close(fd);
  struct wt__tls_client_options options = {.verify = WT__VERIFY_CA, .ca_file = path};
  assert_int_equal(outcome(certificate, &options, "my_service", reason, sizeof(reason)), 0);
  assert_int_equal(outcome(certificate, &options, "my_servicf", reason, sizeof(reason)), WT_ERR_CERTIFICATE);
  wt_certificate_free(certificate);
  unlink(path);
}

/* Another server may refuse such a name, and says no more than an alert. */
static void test_client_tls_guesses_that_the_name_was_refused(void **state) {
  (void)state;
  char pem[8192], reason[256];
  wt_certificate *certificate = certificate_p256(-DAY, 300 * DAY, pem, sizeof(pem));
  struct wt__tls_client_options options = {.verify = WT__VERIFY_NOTHING};
  assert_int_equal(outcome(certificate, &options, "my service_1", reason, sizeof(reason)), WT_ERR_TLS);
  assert_non_null(strstr(reason, "maybe it takes no name with an underscore, such as my service_1"));
  assert_int_equal(outcome(certificate, &options, "my service", reason, sizeof(reason)), WT_ERR_TLS);
  assert_null(strstr(reason, "underscore"));
  wt_certificate_free(certificate);
}

static void test_client_tls_nothing_is_verified_only_where_asked_for(void **state) {
  (void)state;
  char pem[8192], reason[256];
  wt_certificate *certificate = certificate_p256(-DAY, 300 * DAY, pem, sizeof(pem));
  struct wt__tls_client_options options = {.verify = WT__VERIFY_NOTHING};
  assert_int_equal(outcome(certificate, &options, "elsewhere.example", reason, sizeof(reason)), 0);
  wt_certificate_free(certificate);
}

/* In place of GnuTLS's function: a server that is told of no protocol chooses none. */
static bool server_without_alpn;

int __real_gnutls_alpn_set_protocols(gnutls_session_t session, const gnutls_datum_t *protocols, unsigned count,
                                     unsigned flags);
int __wrap_gnutls_alpn_set_protocols(gnutls_session_t session, const gnutls_datum_t *protocols, unsigned count,
                                     unsigned flags);

int __wrap_gnutls_alpn_set_protocols(gnutls_session_t session, const gnutls_datum_t *protocols, unsigned count,
                                     unsigned flags) {
  const struct wt__tls *tls = gnutls_session_get_ptr(session);
  if (server_without_alpn && !tls->client) return 0;
  return __real_gnutls_alpn_set_protocols(session, protocols, count, flags);
}

static void test_client_tls_server_has_to_choose_http3(void **state) {
  (void)state;
  char pem[8192], reason[256];
  wt_certificate *certificate = certificate_p256(-DAY, 300 * DAY, pem, sizeof(pem));
  struct wt__tls_client_options options = {.verify = WT__VERIFY_NOTHING};
  server_without_alpn = true;
  assert_int_equal(outcome(certificate, &options, "localhost", reason, sizeof(reason)), WT_ERR_TLS);
  assert_non_null(strstr(reason, "application protocol"));
  server_without_alpn = false;
  assert_int_equal(outcome(certificate, &options, "localhost", reason, sizeof(reason)), 0);
  wt_certificate_free(certificate);
}

static void test_client_tls_options_are_checked(void **state) {
  (void)state;
  struct wt__tls_client *client = NULL;
  struct wt__tls_client_options options = {.verify = WT__VERIFY_HASHES};
  assert_int_equal(wt__tls_client_new(&client, &options), WT_ERR_INVALID);
  options = (struct wt__tls_client_options){.verify = WT__VERIFY_CA, .ca_file = "/nonexistent/ca.pem"};
  assert_int_equal(wt__tls_client_new(&client, &options), WT_ERR_FILE);
  assert_null(client);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_client_tls_known_hash_is_enough),
      cmocka_unit_test(test_client_tls_unknown_hash_is_refused),
      cmocka_unit_test(test_client_tls_hash_of_a_certificate_over_14_days_is_refused),
      cmocka_unit_test(test_client_tls_hash_of_an_rsa_certificate_is_refused),
      cmocka_unit_test(test_client_tls_authority_and_name_are_checked),
      cmocka_unit_test(test_client_tls_name_with_an_underscore),
      cmocka_unit_test(test_client_tls_guesses_that_the_name_was_refused),
      cmocka_unit_test(test_client_tls_nothing_is_verified_only_where_asked_for),
      cmocka_unit_test(test_client_tls_server_has_to_choose_http3),
      cmocka_unit_test(test_client_tls_options_are_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
