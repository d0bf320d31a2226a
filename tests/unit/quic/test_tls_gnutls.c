/* SPDX-License-Identifier: MIT */

/* src/quic/tls_gnutls.c: certificates by name, their reload, ALPN, the exporter, resumption, and the key log. */

#include "quic_fixture.h"

#include <pthread.h>
#include <unistd.h>

#include "quic/endpoint_state.h"
#include "quic/tls_session.h"

#define THREADS 2
#define SESSIONS 1000

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
  assert_true(certificate_is_for("second.example.", "second.example")); /* clients should not send the dot, some do */
  assert_true(certificate_is_for("SECOND.example", "second.example"));
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

/* What another thread might do right after this one has given up a lock. The linker puts the function below in place of
 * the C library's (--wrap, cmake/Tests.cmake). */
static _Thread_local void (*after_unlock)(void);

int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex) {
  int rc = __real_pthread_mutex_unlock(mutex);
  void (*call)(void) = after_unlock;
  after_unlock = NULL;
  if (call) call();
  return rc;
}

static wt_certificate *spare;

static void replace_certificates(void) { assert_int_equal(wt__tls_context_set_certificates(config.tls, &spare, 1), 0); }

/* A session of the server on a connection that is a client's: it is not used. */
static void session_come_and_go(ngtcp2_conn *quic) {
  struct wt__tls *tls;
  assert_int_equal(wt__tls_new_server(&tls, config.tls, quic), 0);
  wt__tls_free(tls);
}

/* The certificates go at the very moment at which a handshake has got hold of them: without the handshake's reference
 * they would be freed, and AddressSanitizer would see it. */
static void test_tls_holds_the_certificates_that_it_has_found(void **state) {
  (void)state;
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &spare), 0);
  replace_certificates();
  client_init(&client, &(struct client_options){.sni = "localhost"});
  int64_t live = wt__mem_live();
  after_unlock = replace_certificates;
  session_come_and_go(client.quic);
  assert_null(after_unlock);
  assert_int_equal(wt__mem_live(), live);
  client_free(&client);
  assert_true(certificate_is_for("x.example", "localhost"));
  wt_certificate_free(spare);
}

static void *sessions_run(void *argument) {
  struct client *one = argument;
  for (int i = 0; i < SESSIONS; i++) session_come_and_go(one->quic);
  return NULL;
}

static void test_tls_replaces_certificates_while_threads_take_them(void **state) {
  (void)state;
  static struct client clients[THREADS];
  pthread_t threads[THREADS];
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &spare), 0);
  for (size_t i = 0; i < THREADS; i++) {
    client_init(&clients[i], &(struct client_options){.sni = "localhost"});
    assert_int_equal(pthread_create(&threads[i], NULL, sessions_run, &clients[i]), 0);
  }
  for (int i = 0; i < SESSIONS; i++) replace_certificates();
  for (size_t i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    client_free(&clients[i]);
  }
  assert_true(certificate_is_for("x.example", "localhost"));
  wt_certificate_free(spare);
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

/* A server's session is gone by then, and in QUIC a client has nothing more to tell TLS (RFC 9001, section 6). */
static void test_tls_takes_no_message_after_the_handshake(void **state) {
  static const uint8_t key_update[] = {24, 0, 0, 1, 0};
  (void)state;
  client_init(&client, &(struct client_options){.sni = "localhost"});
  converse(&client, endpoint);
  const struct wt__conn *conn = WT__CONTAINER_OF(wt__list_first(&endpoint->conns), struct wt__conn, link);
  assert_null(conn->tls->session);
  assert_null(conn->tls->set);
  assert_null(ngtcp2_conn_get_tls_native_handle(conn->quic));
  struct wt__tls_info info;
  wt__tls_get_info(conn->tls, &info);
  assert_string_equal(info.version, "TLS1.3");
  assert_string_equal(info.cipher, gnutls_cipher_get_name(gnutls_cipher_get(client.tls)));
  assert_string_equal(info.group, gnutls_group_get_name(gnutls_group_get(client.tls)));
  assert_false(info.resumed);
  assert_null(info.certificate);
  assert_int_equal(
      ngtcp2_conn_submit_crypto_data(client.quic, NGTCP2_ENCRYPTION_LEVEL_1RTT, key_update, sizeof(key_update)), 0);
  converse(&client, endpoint);
  assert_int_equal(client.error, NGTCP2_ERR_DRAINING);
  assert_int_equal(ngtcp2_conn_get_ccerr(client.quic)->error_code, NGTCP2_CRYPTO_ERROR | GNUTLS_A_UNEXPECTED_MESSAGE);
  client_free(&client);
}

static int tickets;

static int count_ticket(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                        const gnutls_datum_t *message) {
  (void)session, (void)message;
  tickets += type == GNUTLS_HANDSHAKE_NEW_SESSION_TICKET && when == GNUTLS_HOOK_POST && incoming;
  return 0;
}

static int tickets_of_a_connection(void) {
  tickets = 0;
  client_init(&client, &(struct client_options){.sni = "localhost"});
  gnutls_handshake_set_hook_function(client.tls, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, GNUTLS_HOOK_POST, count_ticket);
  converse(&client, endpoint);
  assert_true(ngtcp2_conn_get_handshake_completed(client.quic));
  client_free(&client);
  return tickets;
}

static void test_tls_gives_one_ticket(void **state) {
  wt_certificate *certificate;
  assert_int_equal(tickets_of_a_connection(), 1);
  wt__endpoint_free(endpoint);
  wt__tls_context_free(config.tls);
  server_config(&config);
  wt__tls_context_free(config.tls);
  assert_int_equal(wt__tls_context_new(&config.tls, false), 0);
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &certificate), 0);
  assert_int_equal(wt__tls_context_set_certificates(config.tls, &certificate, 1), 0);
  wt_certificate_free(certificate);
  assert_int_equal(wt__endpoint_new(&endpoint, &config), 0);
  assert_int_equal(tickets_of_a_connection(), 0);
  (void)state;
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
      TEST(test_tls_holds_the_certificates_that_it_has_found),
      TEST(test_tls_replaces_certificates_while_threads_take_them),
      TEST(test_tls_needs_certificates),
      TEST(test_tls_insists_on_alpn),
      TEST(test_tls_exports_the_same_on_both_sides),
      TEST(test_tls_takes_no_message_after_the_handshake),
      TEST(test_tls_gives_one_ticket),
      TEST(test_tls_resumes_with_a_ticket),
      TEST(test_tls_writes_the_key_log),
      TEST(test_tls_random_differs),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  (void)unlink(key_log);
  return failed;
}
