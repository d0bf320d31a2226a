/* SPDX-License-Identifier: MIT */
/*
 * What a server and a client may be told about TLS beside certificates of clients: a certificate chosen by the application,
 * key logs, cipher suites and groups, and how long tickets are good.
 */
#include <gnutls/gnutls.h>
#include <time.h>

#include "client.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "world.h"

#define SERVER "localhost:4000"
#define LINES_MAX 64
#define LINE_SIZE 260

struct lines {
  unsigned count;
  char text[LINES_MAX][LINE_SIZE];
};

struct bed {
  struct net net;
  struct server server;
  struct client client;
  wt_certificate *certificate, *chosen; /* the server's own; what `choose` gives */
  unsigned asked;
  char name[64]; /* that `choose` was asked for */
  struct lines theirs, mine;
  struct wt__tls_server_options options;
  struct wt_connection_info info; /* of the client, of the last visit */
  uint8_t hash[32];               /* of the certificate that it saw */
};

static wt_certificate *choose(const char *name, void *user_data) {
  struct bed *bed = user_data;
  bed->asked++;
  snprintf(bed->name, sizeof(bed->name), "%s", name ? name : "(none)");
  return name && wt_certificate_matches(bed->chosen, name) ? wt_certificate_ref(bed->chosen) : NULL;
}

static void on_line(const char *line, void *user_data) {
  struct lines *lines = user_data;
  assert_true(lines->count < LINES_MAX);
  snprintf(lines->text[lines->count++], LINE_SIZE, "%s", line);
}

static void bed_init(struct bed *bed) {
  static const char *const names[] = {"chosen.example", "chosen_one"};
  memset(bed, 0, sizeof(*bed));
  assert_int_equal(wt_certificate_generate(NULL, 0, 10, &bed->certificate), 0);
  assert_int_equal(wt_certificate_generate(names, 2, 10, &bed->chosen), 0);
  net_init(&bed->net, 1);
  server_init(&bed->server, &bed->net);
  client_init(&bed->client, &bed->net, 1);
  bed->client.connect.resumption_key = SERVER;
}

static void bed_start(struct bed *bed) {
  assert_int_equal(wt__tls_context_configure(bed->server.tls, &bed->options), 0);
  assert_int_equal(wt__tls_context_set_certificates(bed->server.tls, &bed->certificate, 1), 0);
  server_start(&bed->server);
  client_start(&bed->client);
}

static void bed_free(struct bed *bed) {
  client_free(&bed->client);
  server_free(&bed->server);
  net_free(&bed->net);
  wt_certificate_free(bed->certificate);
  wt_certificate_free(bed->chosen);
}

/* A connection, a session, and a datagram's echo. False: the connection ended before; `*ended` says how. */
static bool visit(struct bed *bed, const char *name, struct wt__h3_end *ended) {
  struct sockaddr_in address = server_address();
  bed->client.connect.server_name = name;
  struct client_link *link = client_connect(&bed->client, &address, NULL);
  assert_non_null(link);
  NET_UNTIL(&bed->net, 5000, link->ready || link->ends);
  if (link->ends) {
    if (ended) *ended = link->end;
    return false;
  }
  struct server_session *session = client_session(&bed->client, link, "/echo");
  assert_int_equal(wt_session_send_datagram(session->session, "hello", 5), 0);
  NET_UNTIL(&bed->net, 5000, session->datagrams == 1);
  bed->info = (struct wt_connection_info){.size = sizeof(bed->info)};
  wt__h3_conn_get_info(link->h3, &bed->info);
  if (bed->info.certificate) {
    struct wt_certificate_info words = {.size = sizeof(words)};
    assert_int_equal(wt_certificate_describe(bed->info.certificate, bed->info.certificate_len, 0, &words), 0);
    memcpy(bed->hash, words.sha256, sizeof(bed->hash));
  }
  net_run_for(&bed->net, 100); /* the ticket */
  wt__h3_conn_close(link->h3);
  NET_UNTIL(&bed->net, 1000, link->ends && wt__list_empty(&bed->server.endpoint->conns));
  return true;
}

static bool saw(const struct bed *bed, const wt_certificate *certificate) {
  uint8_t hash[32];
  wt_certificate_get_sha256(certificate, hash);
  return memcmp(hash, bed->hash, sizeof(hash)) == 0;
}

/* --- A certificate for a name --- */

static void test_select_certificate_by_name(void **state) {
  (void)state;
  struct bed bed;
  bed_init(&bed);
  bed.options.select = choose;
  bed.options.select_user_data = &bed;
  bed_start(&bed);
  assert_true(visit(&bed, "chosen.example", NULL));
  assert_string_equal(bed.name, "chosen.example");
  assert_int_equal(bed.asked, 1);
  assert_true(saw(&bed, bed.chosen));
  assert_true(visit(&bed, "chosen_one", NULL)); /* a name that GnuTLS does not see */
  assert_string_equal(bed.name, "chosen_one");
  assert_true(saw(&bed, bed.chosen));
  assert_true(visit(&bed, "localhost", NULL)); /* it chooses none */
  assert_string_equal(bed.name, "localhost");
  assert_true(saw(&bed, bed.certificate));
  assert_true(visit(&bed, "192.0.2.1", NULL)); /* an address is no name */
  assert_string_equal(bed.name, "(none)");
  assert_true(saw(&bed, bed.certificate));
  assert_int_equal(bed.asked, 4);
  bed_free(&bed);
}

/* The key of tickets knows nothing of such certificates. */
static void test_select_certificate_gives_no_ticket(void **state) {
  (void)state;
  struct bed bed;
  bed_init(&bed);
  bed.options.select = choose;
  bed.options.select_user_data = &bed;
  bed_start(&bed);
  for (int i = 0; i < 2; i++) {
    assert_true(visit(&bed, "chosen.example", NULL));
    assert_false(bed.info.resumed);
  }
  assert_true(visit(&bed, "localhost", NULL));
  assert_int_equal(bed.asked, 3);
  assert_true(visit(&bed, "localhost", NULL)); /* with the server's own there is one, and nothing to choose */
  assert_true(bed.info.resumed);
  assert_int_equal(bed.asked, 3);
  bed_free(&bed);
}

/* --- Key log --- */

static const char *line_of(const struct lines *lines, const char *label) {
  size_t len = strlen(label);
  for (unsigned i = 0; i < lines->count; i++) {
    if (!strncmp(lines->text[i], label, len) && lines->text[i][len] == ' ') return lines->text[i] + len + 1;
  }
  fail_msg("no line has the label %s", label);
  return NULL;
}

static void check_line(const struct bed *bed, const char *label, size_t secret) {
  const char *mine = line_of(&bed->mine, label);
  assert_int_equal(strspn(mine, "0123456789abcdef"), 64); /* the client's random */
  assert_int_equal(mine[64], ' ');
  assert_int_equal(strspn(mine + 65, "0123456789abcdef"), 2 * secret);
  assert_int_equal(mine[65 + 2 * secret], '\0');
  assert_string_equal(mine, line_of(&bed->theirs, label));
}

static void test_key_log_has_the_same_secrets_on_both_ends(void **state) {
  (void)state;
  static const char *const suites[] = {"TLS_AES_256_GCM_SHA384"};
  for (size_t with_suite = 0; with_suite < 2; with_suite++) {
    struct bed bed;
    bed_init(&bed);
    bed.options.key_log = (struct wt__key_log){on_line, &bed.theirs};
    bed.options.choice = (struct wt__tls_choice){.cipher_suites = suites, .cipher_suite_count = with_suite};
    bed.client.tls_options.key_log = (struct wt__key_log){on_line, &bed.mine};
    bed_start(&bed);
    assert_true(visit(&bed, "localhost", NULL));
    check_line(&bed, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", with_suite ? 48 : 32);
    check_line(&bed, "SERVER_HANDSHAKE_TRAFFIC_SECRET", with_suite ? 48 : 32);
    check_line(&bed, "CLIENT_TRAFFIC_SECRET_0", with_suite ? 48 : 32);
    check_line(&bed, "SERVER_TRAFFIC_SECRET_0", with_suite ? 48 : 32);
    check_line(&bed, "EXPORTER_SECRET", with_suite ? 48 : 32);
    bed_free(&bed);
  }
}

/* --- Cipher suites and groups --- */

static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                     "TLS_CHACHA20_POLY1305_SHA256"};
static const char *const suites_by_cost[] = {"TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"};
static const char *const cipher_names[] = {"AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"};
static const char *const groups[] = {"x25519", "secp256r1", "secp384r1", "secp521r1", "x448"};
static const char *const group_names[] = {"X25519", "SECP256R1", "SECP384R1", "SECP521R1", "X448"};

/* What both ends agree on, or why they do not. */
static bool agree(struct bed *bed, const struct wt__tls_choice *server, const struct wt__tls_choice *client,
                  struct wt__h3_end *end) {
  bed_init(bed);
  if (server) bed->options.choice = *server;
  if (client) bed->client.tls_options.choice = *client;
  bed_start(bed);
  bool good = visit(bed, "localhost", end) && visit(bed, "localhost", end); /* resumed, too */
  if (good) assert_true(bed->info.resumed);
  bed_free(bed);
  return good;
}

static void test_cipher_suites_each_alone(void **state) {
  (void)state;
  struct bed bed;
  for (size_t i = 0; i < 3; i++) {
    const struct wt__tls_choice one = {.cipher_suites = &suites[i], .cipher_suite_count = 1};
    assert_true(agree(&bed, &one, NULL, NULL));
    assert_string_equal(bed.info.cipher, cipher_names[i]);
    assert_true(agree(&bed, NULL, &one, NULL));
    assert_string_equal(bed.info.cipher, cipher_names[i]);
  }
}

static void test_cipher_suites_by_the_order_of_the_server(void **state) {
  (void)state;
  struct bed bed;
  const struct wt__tls_choice ours = {.cipher_suites = suites_by_cost, .cipher_suite_count = 2};
  const struct wt__tls_choice reversed = {.cipher_suites = suites, .cipher_suite_count = 3};
  assert_true(agree(&bed, &ours, &reversed, NULL));
  assert_string_equal(bed.info.cipher, "CHACHA20-POLY1305");
  assert_true(agree(&bed, NULL, &ours, NULL)); /* without one, that of the client */
  assert_string_equal(bed.info.cipher, "CHACHA20-POLY1305");
}

static void test_cipher_suites_that_do_not_meet(void **state) {
  (void)state;
  struct bed bed;
  struct wt__h3_end end;
  const struct wt__tls_choice one = {.cipher_suites = &suites[0], .cipher_suite_count = 1};
  const struct wt__tls_choice other = {.cipher_suites = &suites[2], .cipher_suite_count = 1};
  assert_false(agree(&bed, &one, &other, &end));
  assert_int_equal(end.error, WT_ERR_TLS);
  assert_int_equal(end.wire_code, 0x100 + GNUTLS_A_HANDSHAKE_FAILURE);
}

static void test_groups_each_alone(void **state) {
  (void)state;
  struct bed bed;
  for (size_t i = 0; i < 5; i++) {
    const struct wt__tls_choice one = {.groups = &groups[i], .group_count = 1};
    assert_true(agree(&bed, &one, &one, NULL));
    assert_string_equal(bed.info.group, group_names[i]);
  }
}

/* The client has to begin again, with a share of a group that the server takes (RFC 8446, section 4.1.4). */
static void test_groups_after_a_hello_retry_request(void **state) {
  (void)state;
  struct bed bed;
  const struct wt__tls_choice all = {.groups = groups, .group_count = 5};
  const struct wt__tls_choice last = {.groups = &groups[3], .group_count = 1};
  assert_true(agree(&bed, &last, &all, NULL));
  assert_string_equal(bed.info.group, "SECP521R1");
}

static void test_groups_that_do_not_meet(void **state) {
  (void)state;
  struct bed bed;
  struct wt__h3_end end;
  const struct wt__tls_choice last = {.groups = &groups[3], .group_count = 1};
  assert_false(agree(&bed, &last, NULL, &end)); /* which is not among the client's */
  assert_int_equal(end.error, WT_ERR_TLS);
  assert_in_range(end.wire_code, 0x100, 0x1ff);
}

static void test_choice_of_unknown_names_is_an_error(void **state) {
  (void)state;
  static const char *const unknown[] = {"TLS_AES_128_CCM_SHA256"};
  struct wt__tls_client *client = NULL;
  struct wt__tls_client_options options = {.verify = WT__VERIFY_NOTHING,
                                           .choice = {.cipher_suites = unknown, .cipher_suite_count = 1}};
  assert_int_equal(wt__tls_client_new(&client, &options), WT_ERR_TLS);
  assert_null(client);
}

/* --- Tickets --- */

static time_t clock_ahead;

static time_t clock_now(time_t *at) {
  time_t now = time(NULL) + clock_ahead;
  if (at) *at = now;
  return now;
}

static bool resumes_after(unsigned lifetime, time_t seconds) {
  struct bed bed;
  bed_init(&bed);
  bed.options.ticket_lifetime_s = lifetime;
  bed_start(&bed);
  clock_ahead = 0;
  gnutls_global_set_time_function(clock_now);
  assert_true(visit(&bed, "localhost", NULL));
  clock_ahead = seconds;
  assert_true(visit(&bed, "localhost", NULL)); /* it comes in, with a ticket or without */
  gnutls_global_set_time_function(time);
  bool resumed = bed.info.resumed;
  bed_free(&bed);
  return resumed;
}

static void test_tickets_live_as_long_as_they_are_told(void **state) {
  (void)state;
  assert_true(resumes_after(60, 30));
  assert_false(resumes_after(60, 90));
  assert_true(resumes_after(86400, 80000));
  assert_false(resumes_after(86400, 90000));
  assert_true(resumes_after(0, 5 * 3600)); /* 6 hours */
  assert_false(resumes_after(0, 7 * 3600));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_select_certificate_by_name),
      cmocka_unit_test(test_select_certificate_gives_no_ticket),
      cmocka_unit_test(test_key_log_has_the_same_secrets_on_both_ends),
      cmocka_unit_test(test_cipher_suites_each_alone),
      cmocka_unit_test(test_cipher_suites_by_the_order_of_the_server),
      cmocka_unit_test(test_cipher_suites_that_do_not_meet),
      cmocka_unit_test(test_groups_each_alone),
      cmocka_unit_test(test_groups_after_a_hello_retry_request),
      cmocka_unit_test(test_groups_that_do_not_meet),
      cmocka_unit_test(test_choice_of_unknown_names_is_an_error),
      cmocka_unit_test(test_tickets_live_as_long_as_they_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
