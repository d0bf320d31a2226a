/* SPDX-License-Identifier: MIT */

/* src/quic/tls_gnutls.c: certificates by name, their reload, ALPN, the exporter, resumption, and the key log. */

#include "quic_fixture.h"

#include <unistd.h>

static struct wt__endpoint_config config;
static struct wt__endpoint *endpoint;
static struct client client;
static char key_log[] = "/tmp/test_tls.XXXXXX";

static int set_up(void **state) {
  (void)state;
  net_init();
  server_config(&config);
  return wt__endpoint_new(&endpoint, &config);
}

static int tear_down(void **state) {
  (void)state;
  wt__endpoint_free(endpoint);
  wt__tls_context_free(config.tls);
  return 0;
}

static void set_certificates(const char *const *names, size_t count) {
  wt_certificate *certificates[4] = {NULL};
  for (size_t i = 0; i < count; i++) assert_int_equal(wt_certificate_generate(&names[i], 1, 13, &certificates[i]), 0);
  assert_int_equal(wt__tls_context_set_certificates(config.tls, certificates, count), 0);
  for (size_t i = 0; i < count; i++) wt_certificate_free(certificates[i]);
}

/* Shakes hands asking for `sni`; says whether the server's certificate is for `name`. */
static bool certificate_is_for(const char *sni, const char *name) {
  client_init(&client, &(struct client_options){.sni = sni});
  converse(&client, endpoint);
  assert_true(ngtcp2_conn_get_handshake_completed(client.quic));
  unsigned count = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers(client.tls, &count);
  assert_int_equal(count, 1);
  gnutls_x509_crt_t leaf;
  assert_int_equal(gnutls_x509_crt_init(&leaf), 0);
  assert_int_equal(gnutls_x509_crt_import(leaf, chain, GNUTLS_X509_FMT_DER), 0);
  bool matches = gnutls_x509_crt_check_hostname(leaf, name) != 0;
  gnutls_x509_crt_deinit(leaf);
  client_free(&client);
  return matches;
}

static void test_tls_chooses_the_certificate_by_name(void **state) {
  (void)state;
  const char *names[] = {"first.example", "second.example", "*.wild.example"};
  set_certificates(names, 3);
  assert_true(certificate_is_for("first.example", "first.example"));
  assert_true(certificate_is_for("second.example", "second.example"));
  assert_true(certificate_is_for("www.wild.example", "www.wild.example"));
  assert_true(certificate_is_for("elsewhere.example", "first.example"));
}

static void test_tls_reloads_certificates(void **state) {
  (void)state;
  const char *before[] = {"before.example"}, *after[] = {"after.example"};
  struct client old;
  set_certificates(before, 1);
  client_init(&old, &(struct client_options){.sni = "x.example"});
  (void)client_flush(&old, endpoint); /* the server has chosen its certificate */
  set_certificates(after, 1);
  assert_true(certificate_is_for("x.example", "after.example"));
  converse(&old, endpoint);
  assert_true(h3.started > 0);
  client_free(&old);
}

static void test_tls_needs_certificates(void **state) {
  (void)state;
  struct wt__tls_context *context = NULL;
  struct wt__tls *tls;
  assert_int_equal(wt__tls_context_new(&context, false), 0);
  assert_int_equal(wt__tls_context_set_certificates(context, NULL, 0), WT_ERR_INVALID);
  assert_int_equal(wt__tls_new_server(&tls, context, NULL), WT_ERR_STATE);
  wt__tls_context_free(context);
  wt__tls_context_free(NULL);
}

static void test_tls_insists_on_alpn(void **state) {
  (void)state;
  client_init(&client, &(struct client_options){.alpn = "h9"});
  converse(&client, endpoint);
  assert_int_equal(client.error, NGTCP2_ERR_DRAINING);
  assert_int_equal(ngtcp2_conn_get_ccerr(client.quic)->error_code,
                   NGTCP2_CRYPTO_ERROR | GNUTLS_A_NO_APPLICATION_PROTOCOL);
  assert_int_equal(h3.started, 0);
  client_free(&client);
}

static void test_tls_exports_the_same_on_both_sides(void **state) {
  (void)state;
  uint8_t ours[32], theirs[32], other[32];
  client_init(&client, &(struct client_options){.sni = "localhost"});
  (void)client_flush(&client, endpoint);
  assert_non_null(h3.conn); /* before the handshake is done */
  struct wt__conn *conn = h3.conn->ctx;
  assert_int_equal(wt__tls_export(conn->tls, "label", "ctx", 3, ours, sizeof(ours)), WT_ERR_STATE);
  converse(&client, endpoint);
  assert_int_equal(wt__tls_export(conn->tls, "EXPORTER-test", "ctx", 3, ours, sizeof(ours)), 0);
  assert_int_equal(gnutls_prf_rfc5705(client.tls, 13, "EXPORTER-test", 3, "ctx", sizeof(theirs), (char *)theirs), 0);
  assert_memory_equal(ours, theirs, sizeof(ours));
  assert_int_equal(wt__tls_export(conn->tls, "EXPORTER-test", "xtc", 3, other, sizeof(other)), 0);
  assert_memory_not_equal(ours, other, sizeof(ours));
  client_free(&client);
}

static void test_tls_resumes_with_a_ticket(void **state) {
  (void)state;
  struct client second;
  gnutls_datum_t session = {NULL, 0};
  client_init(&client, &(struct client_options){.sni = "localhost"});
  converse(&client, endpoint);
  assert_int_equal(gnutls_session_is_resumed(client.tls), 0);
  assert_true(gnutls_session_get_flags(client.tls) & GNUTLS_SFLAGS_SESSION_TICKET);
  assert_int_equal(gnutls_session_get_data2(client.tls, &session), 0);
  client_init(&second, &(struct client_options){.sni = "localhost"});
  assert_int_equal(gnutls_session_set_data(second.tls, session.data, session.size), 0);
  converse(&second, endpoint);
  assert_true(ngtcp2_conn_get_handshake_completed(second.quic));
  assert_int_not_equal(gnutls_session_is_resumed(second.tls), 0);
  gnutls_free(session.data);
  client_free(&second);
  client_free(&client);
}

/* GnuTLS reads the variable once, so `main` sets it before anything else. */
static void test_tls_writes_the_key_log(void **state) {
  (void)state;
  client_init(&client, &(struct client_options){.sni = "localhost"});
  converse(&client, endpoint);
  assert_true(ngtcp2_conn_get_handshake_completed(client.quic));
  client_free(&client);
  char text[8192];
  FILE *file = fopen(key_log, "rb");
  assert_non_null(file);
  size_t len = fread(text, 1, sizeof(text) - 1, file);
  (void)fclose(file);
  text[len] = '\0';
  assert_non_null(strstr(text, "SERVER_TRAFFIC_SECRET_0"));
  assert_non_null(strstr(text, "CLIENT_HANDSHAKE_TRAFFIC_SECRET"));
}

static void test_tls_random_differs(void **state) {
  (void)state;
  uint8_t a[16] = {0}, b[16] = {0};
  assert_int_equal(wt__tls_random(a, sizeof(a)), 0);
  assert_int_equal(wt__tls_random(b, sizeof(b)), 0);
  assert_memory_not_equal(a, b, sizeof(a));
}

int main(void) {
  int fd = mkstemp(key_log);
  if (fd < 0 || close(fd) || setenv("SSLKEYLOGFILE", key_log, 1)) return 1;
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_tls_chooses_the_certificate_by_name),
      TEST(test_tls_reloads_certificates),
      TEST(test_tls_needs_certificates),
      TEST(test_tls_insists_on_alpn),
      TEST(test_tls_exports_the_same_on_both_sides),
      TEST(test_tls_resumes_with_a_ticket),
      TEST(test_tls_writes_the_key_log),
      TEST(test_tls_random_differs),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  (void)unlink(key_log);
  return failed;
}
