/* SPDX-License-Identifier: MIT */

/*
 * src/quic/tickets_gnutls.c: the name that GnuTLS gives to the key of a ticket. If the first test fails with a new version of
 * GnuTLS, tickets under the previous and the next secret of a fleet are not recognized with it.
 */

#include "quic_fixture.h"

#include "quic/certificate_set.h"
#include "quic/client_certificate.h"
#include "quic/tickets.h"
#include "quic/tls_session.h"

#define LIFETIME WT__TICKET_LIFETIME_S

static struct wt__endpoint_config config;
static struct wt__endpoint *endpoint;
static struct client client;
static wt_certificate *certificate;
static uint8_t name[WT__TICKET_NAME_LEN];

static int set_up(void **state) {
  (void)state;
  net_init();
  server_config(&config);
  if (wt_certificate_generate(NULL, 0, 13, &certificate)) return -1;
  return wt__tls_context_set_certificates(config.tls, &certificate, 1) || wt__endpoint_new(&endpoint, &config);
}

static int tear_down(void **state) {
  (void)state;
  wt__endpoint_free(endpoint);
  wt__tls_context_free(config.tls);
  wt_certificate_free(certificate);
  return 0;
}

/* NewSessionTicket: lifetime 4, age 4, nonce 1 + n, ticket 2 + n (RFC 8446, section 4.6.1). */
static int keep_name(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                     const gnutls_datum_t *message) {
  (void)session, (void)type, (void)when;
  if (!incoming) return 0;
  size_t at = 8 + 1 + message->data[8] + 2;
  assert_true(at + sizeof(name) < message->size);
  memcpy(name, message->data + at, sizeof(name));
  return 0;
}

/* Shakes hands with the ticket `session`, if there is one; `name` is that of the new ticket then. Whether it resumed. */
static bool resumes(gnutls_datum_t *session) {
  memset(name, 0, sizeof(name));
  client_init(&client, &(struct client_options){.sni = "localhost"});
  if (session->data) assert_int_equal(gnutls_session_set_data(client.tls, session->data, session->size), 0);
  gnutls_handshake_set_hook_function(client.tls, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, GNUTLS_HOOK_PRE, keep_name);
  converse(&client, endpoint);
  assert_true(ngtcp2_conn_get_handshake_completed(client.quic));
  bool resumed = gnutls_session_is_resumed(client.tls) != 0;
  if (!session->data) assert_int_equal(gnutls_session_get_data2(client.tls, session), 0);
  client_free(&client);
  return resumed;
}

/* Secrets of these bytes each. */
static struct wt__ticket_secrets secrets_of(const char *each) {
  struct wt__ticket_secrets secrets = {.count = strlen(each)};
  for (size_t i = 0; i < secrets.count; i++) memset(secrets.secret[i], each[i], WT__TICKET_SECRET_LEN);
  assert_int_equal(wt__tls_context_set_ticket_secrets(config.tls, &secrets), 0);
  return secrets;
}

/* Whether the last ticket was sealed with the key of that secret. */
static bool is_sealed_with(const struct wt__ticket_secrets *secrets, size_t index) {
  static const struct wt__client_auth nobody;
  uint8_t expected[WT__TICKET_NAME_LEN];
  bool same = false;
  struct wt__cert_set *set = wt__cert_set_new(&certificate, 1);
  assert_non_null(set);
  assert_int_equal(wt__cert_set_derive_ticket_keys(set, secrets, &nobody), 0);
  for (unsigned steps = 0; steps < 2 && !same; steps++) { /* a period may have ended meanwhile */
    assert_int_equal(wt__ticket_name(set->ticket_keys.secret[index], LIFETIME, time(NULL), steps, expected), 0);
    same = memcmp(expected, name, sizeof(name)) == 0;
  }
  wt__cert_set_unref(set);
  return same;
}

static void test_tickets_have_the_name_that_gnutls_gives(void **state) {
  (void)state;
  struct wt__ticket_secrets secrets = secrets_of("a");
  gnutls_datum_t session = {NULL, 0};
  assert_false(resumes(&session));
  assert_true(is_sealed_with(&secrets, 0));
  secrets = secrets_of("bac");
  gnutls_free(session.data);
  session = (gnutls_datum_t){NULL, 0};
  assert_false(resumes(&session));
  assert_true(is_sealed_with(&secrets, 0));
  assert_false(is_sealed_with(&secrets, 1));
  gnutls_free(session.data);
}

/* Whichever secret it is, and whatever stands before it. */
static void test_tickets_of_each_secret_resume(void **state) {
  (void)state;
  static const char *const later[] = {"a", "ab", "ba", "bca", "bac", "abc"};
  gnutls_datum_t session = {NULL, 0};
  (void)secrets_of("a");
  assert_false(resumes(&session));
  for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
    struct wt__ticket_secrets secrets = secrets_of(later[i]);
    assert_true(resumes(&session));
    assert_true(is_sealed_with(&secrets, (size_t)(strchr(later[i], 'a') - later[i])));
  }
  struct wt__ticket_secrets secrets = secrets_of("bc");
  assert_false(resumes(&session));
  assert_true(is_sealed_with(&secrets, 0));
  gnutls_free(session.data);
}

static void test_tickets_that_were_changed_resume_nothing(void **state) {
  (void)state;
  gnutls_datum_t session = {NULL, 0};
  (void)secrets_of("ab");
  assert_false(resumes(&session));
  uint8_t *at = memmem(session.data, session.size, name, sizeof(name));
  assert_non_null(at);
  static const size_t offsets[] = {0, 15, 16, 40, 100};
  for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
    at[offsets[i]] ^= 1;
    assert_false(resumes(&session));
    at[offsets[i]] ^= 1;
  }
  assert_true(resumes(&session));
  gnutls_free(session.data);
}

static void test_tickets_stay_off_where_there_are_none(void **state) {
  (void)state;
  struct wt__ticket_secrets secrets = {.count = 1};
  gnutls_datum_t session = {NULL, 0};
  wt__endpoint_free(endpoint);
  wt__tls_context_free(config.tls);
  assert_int_equal(wt__tls_context_new(&config.tls, false), 0);
  assert_int_equal(wt__tls_context_set_certificates(config.tls, &certificate, 1), 0);
  assert_int_equal(wt__tls_context_set_ticket_secrets(config.tls, &secrets), 0);
  assert_int_equal(wt__endpoint_new(&endpoint, &config), 0);
  assert_false(resumes(&session));
  static const uint8_t zeros[WT__TICKET_NAME_LEN];
  assert_memory_equal(name, zeros, sizeof(name));
  gnutls_free(session.data);
}

int main(void) {
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_tickets_have_the_name_that_gnutls_gives),
      TEST(test_tickets_of_each_secret_resume),
      TEST(test_tickets_that_were_changed_resume_nothing),
      TEST(test_tickets_stay_off_where_there_are_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
