/* SPDX-License-Identifier: MIT */

/* src/quic/server_name_gnutls.c: clients that ask for names with an underscore, and for ones that nobody has. */

#include "quic_fixture.h"

#include "quic/tls_session.h"

static struct wt__endpoint_config config;
static struct wt__endpoint *endpoint;
static struct client client;
static char warning[512];
static unsigned warnings;

static void on_log(enum wt_log_level level, const char *message, void *user_data) {
  (void)user_data;
  if (level != WT_LOG_WARN) return;
  warnings++;
  (void)snprintf(warning, sizeof(warning), "%s", message);
}

static int set_up(void **state) {
  static const char *const names[] = {"first.example", "my_service", "*.wild.example", "a_b.c_d.example"};
  static const struct wt__log log = {.level = WT_LOG_WARN, .function = on_log};
  (void)state;
  net_init();
  server_config(&config);
  wt__tls_context_free(config.tls);
  config.tls = server_tls(names, 4);
  config.log = &log;
  warnings = 0;
  return wt__endpoint_new(&endpoint, &config);
}

static int tear_down(void **state) {
  (void)state;
  wt__endpoint_free(endpoint);
  wt__tls_context_free(config.tls);
  return 0;
}

static bool is_done(const struct client *one) { return ngtcp2_conn_get_handshake_completed(one->quic) != 0; }

/* Whether the client was shown the certificate for `name`. */
static bool has_certificate_for(const struct client *one, const char *name) {
  unsigned count = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers(one->tls, &count);
  gnutls_x509_crt_t leaf;
  assert_true(chain && count == 1);
  assert_int_equal(gnutls_x509_crt_init(&leaf), 0);
  assert_int_equal(gnutls_x509_crt_import(leaf, chain, GNUTLS_X509_FMT_DER), 0);
  bool matches = gnutls_x509_crt_check_hostname(leaf, name) != 0;
  gnutls_x509_crt_deinit(leaf);
  return matches;
}

static void test_server_name_with_an_underscore_is_served(void **state) {
  (void)state;
  static const char *const names[][2] = {
      {"my_service", "my_service"},           {"MY_SERVICE", "my_service"}, {"x_y.wild.example", "x_y.wild.example"},
      {"a_b.c_d.example", "a_b.c_d.example"}, {"_other", "first.example"},  {"trailing_", "first.example"},
      {"my_service.", "my_service"},          {"_", "first.example"},       {"__.__.__", "first.example"},
      {"first.example", "first.example"},
  };
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    client_init(&client, &(struct client_options){.sni = names[i][0], .long_hello = i % 2 != 0});
    converse(&client, endpoint);
    if (!is_done(&client)) fail_msg("no handshake for %s", names[i][0]);
    if (!has_certificate_for(&client, names[i][1])) fail_msg("another certificate for %s", names[i][0]);
    client_free(&client);
  }
  assert_int_equal(warnings, 0);
}

static unsigned retries;

static int count_retry(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                       const gnutls_datum_t *message) {
  (void)session, (void)when, (void)message;
  retries += type == GNUTLS_HANDSHAKE_HELLO_RETRY_REQUEST && incoming;
  return 0;
}

/* The server asks for another key share: both ClientHellos are hashed, and both are read. */
static void test_server_name_with_an_underscore_in_two_hellos(void **state) {
  (void)state;
  retries = 0;
  client_init(&client, &(struct client_options){.sni = "my_service"});
  assert_int_equal(gnutls_priority_set_direct(client.tls,
                                              "%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:"
                                              "+GROUP-SECP521R1:+GROUP-SECP256R1",
                                              NULL),
                   0);
  gnutls_handshake_set_hook_function(client.tls, GNUTLS_HANDSHAKE_HELLO_RETRY_REQUEST, GNUTLS_HOOK_PRE, count_retry);
  converse(&client, endpoint);
  assert_int_equal(retries, 1);
  assert_true(is_done(&client));
  assert_true(has_certificate_for(&client, "my_service"));
  client_free(&client);
}

/* A handshake for `name` with the ticket `session`, if there is one; then with its own ticket in `session`. */
static bool resumes(const char *name, gnutls_datum_t *session) {
  client_init(&client, &(struct client_options){.sni = name});
  if (session->data) assert_int_equal(gnutls_session_set_data(client.tls, session->data, session->size), 0);
  converse(&client, endpoint);
  assert_true(is_done(&client));
  bool resumed = gnutls_session_is_resumed(client.tls) != 0;
  gnutls_free(session->data);
  assert_int_equal(gnutls_session_get_data2(client.tls, session), 0);
  client_free(&client);
  return resumed;
}

/* The ticket's binder is a hash of the ClientHello as the client sent it. */
static void test_server_name_with_an_underscore_resumes(void **state) {
  (void)state;
  gnutls_datum_t session = {NULL, 0};
  assert_false(resumes("my_service", &session));
  assert_true(resumes("my_service", &session));
  assert_true(resumes("my_service", &session));
  gnutls_free(session.data);
}

static void test_server_name_that_gnutls_refuses_is_told(void **state) {
  (void)state;
  client_init(&client, &(struct client_options){.sni = "my service"});
  converse(&client, endpoint);
  assert_int_equal(client.error, NGTCP2_ERR_DRAINING);
  assert_int_equal(ngtcp2_conn_get_ccerr(client.quic)->error_code, NGTCP2_CRYPTO_ERROR | GNUTLS_A_ILLEGAL_PARAMETER);
  client_free(&client);
  assert_int_equal(warnings, 1);
  assert_non_null(strstr(warning, "server name \"my service\""));
  for (int i = 0; i < 200; i++) {
    client_init(&client, &(struct client_options){.sni = "my service"});
    (void)client_flush(&client, endpoint);
    wt__endpoint_run(endpoint, net.now);
    net.len = 0;
    client_free(&client);
  }
  assert_in_range(warnings, 1, 50);
}

/* Any other reason for the end of a handshake is not told as one of names. */
static void test_server_name_is_not_blamed_for_other_failures(void **state) {
  (void)state;
  client_init(&client, &(struct client_options){.sni = "my_service", .alpn = "h9"});
  converse(&client, endpoint);
  assert_int_equal(ngtcp2_conn_get_ccerr(client.quic)->error_code,
                   NGTCP2_CRYPTO_ERROR | GNUTLS_A_NO_APPLICATION_PROTOCOL);
  assert_int_equal(warnings, 0);
  client_free(&client);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_server_name_with_an_underscore_is_served),     TEST(test_server_name_with_an_underscore_in_two_hellos),
      TEST(test_server_name_with_an_underscore_resumes),       TEST(test_server_name_that_gnutls_refuses_is_told),
      TEST(test_server_name_is_not_blamed_for_other_failures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
