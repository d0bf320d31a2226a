/* SPDX-License-Identifier: MIT */
/*
 * Certificates of clients: who is let in, what the alert, the client's message and the server's log say when somebody is
 * not, and who a client is for a handler, also on a resumed session.
 */
#include <gnutls/gnutls.h>
#include <time.h>
#include <unistd.h>

#include "authority.h"
#include "client.h"
#include "quic/client_certificate.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/tls_session.h"
#include "world.h"

#define SERVER "localhost:4000"

struct bed {
  struct net net;
  struct server server;
  struct client client;
  wt_certificate *certificate; /* the server's */
  wt_certificate *shown;       /* the client's, which is the bed's from `bed_start` on */
  struct authority root;
  char path[32]; /* the root's file */
  unsigned lines;
  char line[512]; /* the last one of the log */
  unsigned asked; /* requests at /who */
  struct wt_certificate_info who;
  size_t chain;
  struct wt_connection_info info;
};

static void on_line(enum wt_log_level level, const char *line, void *user_data) {
  struct bed *bed = user_data;
  if (level != WT_LOG_WARN) return;
  bed->lines++;
  snprintf(bed->line, sizeof(bed->line), "%s", line);
}

/* Writes down who asks, then upgrades. */
static void who_handle(wt_request *request, void *user_data) {
  struct server *server = user_data;
  struct bed *bed = server->hook_ctx;
  const void *der;
  size_t len;
  bed->asked++;
  bed->info = (struct wt_connection_info){.size = sizeof(bed->info)};
  bed->who = (struct wt_certificate_info){.size = sizeof(bed->who)};
  assert_int_equal(wt_request_get_connection_info(request, &bed->info), 0);
  for (bed->chain = 0; !wt_request_get_peer_certificate(request, bed->chain, &der, &len); bed->chain++) {
    if (bed->chain == 0) assert_int_equal(wt_certificate_describe(der, len, 0, &bed->who), 0);
    if (bed->chain == 0) assert_ptr_equal(der, bed->info.certificate);
  }
  assert_null(der);
  assert_int_equal(len, 0);
  assert_int_equal(server_upgrade(server_request_new(server, request)), 0);
}

static void bed_init(struct bed *bed, enum wt_client_certificates mode, bool verify) {
  memset(bed, 0, sizeof(*bed));
  bed->root = authority_issue("root", NULL, DAYS(30));
  snprintf(bed->path, sizeof(bed->path), "/tmp/wt-client-ca-XXXXXX");
  authority_file(&bed->root, bed->path);
  assert_int_equal(wt_certificate_generate(NULL, 0, 10, &bed->certificate), 0);
  net_init(&bed->net, 1);
  server_init(&bed->server, &bed->net);
  struct wt__tls_server_options options = {.client_certificates = mode, .client_ca_file = verify ? bed->path : NULL};
  assert_int_equal(wt__tls_context_configure(bed->server.tls, &options), 0);
  assert_int_equal(wt__tls_context_set_certificates(bed->server.tls, &bed->certificate, 1), 0);
  bed->server.log = (struct wt__log){.level = WT_LOG_WARN, .function = on_line, .user_data = bed};
  bed->server.hook_ctx = bed;
  server_handle(&bed->server, "/who", who_handle);
  client_init(&bed->client, &bed->net, 1);
  bed->client.connect.resumption_key = SERVER;
}

static void bed_start(struct bed *bed, wt_certificate *shown) {
  bed->shown = shown;
  bed->client.tls_options.certificate = shown;
  server_start(&bed->server);
  client_start(&bed->client);
}

static void bed_free(struct bed *bed) {
  client_free(&bed->client);
  wt_certificate_free(bed->shown);
  server_free(&bed->server);
  net_free(&bed->net);
  wt_certificate_free(bed->certificate);
  authority_free(&bed->root);
  unlink(bed->path);
}

/* Asks for a session at /who, on a connection of its own. True once there is one; the connection is over then, too. */
static bool visit(struct bed *bed, struct client_link **ended) {
  struct sockaddr_in address = server_address();
  struct client_link *link = client_connect(&bed->client, &address, NULL);
  assert_non_null(link);
  NET_UNTIL(&bed->net, 5000, link->ready || link->ends);
  struct client_dial *dial = link->ends ? NULL : client_dial(link, "/who", NULL, NULL);
  if (dial) NET_UNTIL(&bed->net, 5000, dial->replies || link->ends);
  bool got = dial && dial->replies && dial->error == 0;
  bed->net.link[0].loss = bed->net.link[1].loss = 0; /* the close is to arrive */
  if (got) {
    net_run_for(&bed->net, 100); /* the ticket */
    wt__h3_conn_close(link->h3);
  }
  NET_UNTIL(&bed->net, 5000, link->ends && wt__list_empty(&bed->server.endpoint->conns));
  if (ended) *ended = link;
  return got;
}

/* A client that shows `shown` is refused with `alert`; its message has `message`, and the log, in one line, `line`. */
static void refused(enum wt_client_certificates mode, const struct authority *by, wt_certificate *shown, unsigned alert,
                    const char *message, const char *line) {
  struct bed bed;
  struct client_link *link = NULL;
  bed_init(&bed, mode, true);
  if (by) {
    wt__tls_context_free(bed.server.tls);
    unlink(bed.path);
    snprintf(bed.path, sizeof(bed.path), "/tmp/wt-client-ca-XXXXXX");
    authority_file(by, bed.path);
    assert_int_equal(wt__tls_context_new(&bed.server.tls, true), 0);
    struct wt__tls_server_options options = {.client_certificates = mode, .client_ca_file = bed.path};
    assert_int_equal(wt__tls_context_configure(bed.server.tls, &options), 0);
    assert_int_equal(wt__tls_context_set_certificates(bed.server.tls, &bed.certificate, 1), 0);
  }
  bed_start(&bed, shown ? wt__certificate_ref(shown) : NULL);
  assert_false(visit(&bed, &link));
  assert_int_equal(link->end.error, WT_ERR_TLS);
  assert_int_equal(link->end.by, WT_PEER);
  assert_int_equal(link->end.wire_code, 0x100 + alert);
  if (!strstr(link->end.reason, message)) fail_msg("\"%s\" does not say \"%s\"", link->end.reason, message);
  if (!strstr(bed.line, line)) fail_msg("\"%s\" does not say \"%s\"", bed.line, line);
  assert_int_equal(bed.lines, 1);
  assert_int_equal(bed.asked, 0);
  bed_free(&bed);
}

/* A leaf by `by`, with the chain up to `between`. */
static wt_certificate *leaf_of(const char *name, const struct authority *by, const struct authority *between,
                               time_t from, time_t until, const char *purpose) {
  struct authority leaf = authority_leaf(name, by, from, until, purpose);
  wt_certificate *certificate = authority_chain(&leaf, between);
  authority_free(&leaf);
  return certificate;
}

static void test_client_certificates_are_not_asked_for_by_default(void **state) {
  (void)state;
  struct bed bed;
  bed_init(&bed, WT_CLIENT_CERTIFICATES_NONE, false);
  wt_certificate *alice = leaf_of("alice", &bed.root, NULL, -60, DAYS(10), GNUTLS_KP_TLS_WWW_CLIENT);
  bed_start(&bed, alice);
  assert_true(visit(&bed, NULL));
  assert_int_equal(bed.chain, 0);
  assert_false(bed.info.certificate_verified);
  bed_free(&bed);
}

static void test_client_certificates_name_the_client_to_the_handler(void **state) {
  (void)state;
  struct bed bed;
  bed_init(&bed, WT_CLIENT_CERTIFICATES_REQUIRE, true);
  struct authority between = authority_issue("between", &bed.root, DAYS(20));
  wt_certificate *alice = leaf_of("alice", &between, &between, -60, DAYS(10), GNUTLS_KP_TLS_WWW_CLIENT);
  bed_start(&bed, alice);
  assert_true(visit(&bed, NULL));
  assert_int_equal(bed.chain, 2);
  assert_string_equal(bed.who.subject, "CN=alice");
  assert_string_equal(bed.who.issuer, "CN=between");
  assert_string_equal(bed.who.names, "alice");
  assert_true(bed.info.certificate_verified);
  assert_int_equal(bed.lines, 0);
  bed_free(&bed);
  authority_free(&between);
}

static void test_client_certificates_are_read_from_sessions_of_both_ends(void **state) {
  (void)state;
  struct bed bed;
  struct sockaddr_in address = server_address();
  const void *der;
  size_t len;
  uint8_t hash[32];
  struct wt_certificate_info info = {.size = sizeof(info)};
  bed_init(&bed, WT_CLIENT_CERTIFICATES_REQUIRE, true);
  wt_certificate *alice = leaf_of("alice", &bed.root, NULL, -60, DAYS(10), NULL);
  bed_start(&bed, alice);
  struct client_link *link = client_connect(&bed.client, &address, NULL);
  NET_UNTIL(&bed.net, 5000, link->ready);
  struct server_session *mine = client_session(&bed.client, link, "/wt");
  struct server_session *theirs = session_opposite(&bed.server, mine);
  assert_int_equal(wt_session_get_peer_certificate(theirs->session, 0, &der, &len), 0);
  assert_int_equal(wt_certificate_describe(der, len, 0, &info), 0);
  assert_string_equal(info.subject, "CN=alice");
  assert_int_equal(wt_session_get_peer_certificate(theirs->session, 1, &der, &len), WT_ERR_NOT_FOUND);
  assert_null(der);
  assert_int_equal(wt_session_get_peer_certificate(mine->session, 0, &der, &len), 0);
  assert_int_equal(wt_certificate_describe(der, len, 0, &info), 0);
  wt_certificate_get_sha256(bed.certificate, hash);
  assert_memory_equal(info.sha256, hash, sizeof(hash));
  bed_free(&bed);
}

static void test_client_certificates_that_are_missing(void **state) {
  (void)state;
  struct bed bed;
  refused(WT_CLIENT_CERTIFICATES_REQUIRE, NULL, NULL, GNUTLS_A_CERTIFICATE_REQUIRED,
          "the server requires a certificate of the client", "is required, and it showed none");
  bed_init(&bed, WT_CLIENT_CERTIFICATES_ASK, true);
  bed_start(&bed, NULL);
  assert_true(visit(&bed, NULL));
  assert_int_equal(bed.chain, 0);
  assert_false(bed.info.certificate_verified);
  assert_true(visit(&bed, NULL)); /* resumed */
  assert_true(bed.info.resumed);
  bed_free(&bed);
}

/* With either mode: whoever shows one is to be who it says. */
static void test_client_certificates_that_do_not_verify(void **state) {
  (void)state;
  static const enum wt_client_certificates modes[] = {WT_CLIENT_CERTIFICATES_ASK, WT_CLIENT_CERTIFICATES_REQUIRE};
  struct authority root = authority_issue("our root", NULL, DAYS(30)), other = authority_issue("root", NULL, DAYS(30));
  struct authority leaf = authority_leaf("mallory", &root, -60, DAYS(10), NULL);
  struct {
    wt_certificate *shown;
    unsigned alert;
    const char *line;
  } cases[] = {
      {leaf_of("eve", &other, NULL, -60, DAYS(10), NULL), GNUTLS_A_UNKNOWN_CA,
       "the client's certificate (CN=eve) is not signed by an authority of the client CA file"},
      {leaf_of("eve", NULL, NULL, -60, DAYS(10), NULL), GNUTLS_A_UNKNOWN_CA, "is not signed by an authority"},
      {leaf_of("alice", &root, NULL, -60, DAYS(10), GNUTLS_KP_TLS_WWW_SERVER), GNUTLS_A_UNSUPPORTED_CERTIFICATE,
       "(CN=alice) is not for clients of TLS"},
      /* signed by one that may sign nothing */
      {leaf_of("eve", &leaf, &leaf, -60, DAYS(10), NULL), GNUTLS_A_UNKNOWN_CA, "is signed by one that is no authority"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (size_t j = 0; j < 2; j++)
      refused(modes[j], &root, cases[i].shown, cases[i].alert,
              "the server refuses the client's certificate: ", cases[i].line);
    wt_certificate_free(cases[i].shown);
  }
  authority_free(&leaf);
  authority_free(&root);
  authority_free(&other);
}

/* A certificate that has expired cannot be loaded; one that is loaded can expire. */
static void test_client_certificates_that_have_expired(void **state) {
  (void)state;
  struct authority root = authority_issue("root", NULL, DAYS(30)), between = authority_issue("between", &root, -1);
  wt_certificate *alice = leaf_of("alice", &between, &between, -60, DAYS(10), NULL);
  refused(WT_CLIENT_CERTIFICATES_REQUIRE, &root, alice, GNUTLS_A_CERTIFICATE_EXPIRED,
          "the server refuses the client's certificate: ", "(CN=alice) has expired, or one in its chain has");
  wt_certificate_free(alice);
  authority_free(&between);
  authority_free(&root);
}

/* A client's chain is kept for as long as its connection: it has a bound, also where nobody verifies it. */
static void test_client_certificates_in_a_long_chain(void **state) {
  (void)state;
  struct authority chain[9]; /* each by the next; the last is the root's */
  struct bed bed;
  struct client_link *link;
  for (size_t shown = 7; shown <= 8; shown++) {
    bed_init(&bed, WT_CLIENT_CERTIFICATES_ASK, false);
    chain[8] = authority_issue("authority 8", &bed.root, DAYS(20));
    for (size_t i = 8; i-- > 0;) {
      char name[] = "authority 0";
      name[10] = (char)('0' + i);
      chain[i] = authority_issue(name, &chain[i + 1], DAYS(20));
    }
    struct authority leaf = authority_leaf("alice", &chain[0], -60, DAYS(10), NULL);
    bed_start(&bed, authority_chain_of(&leaf, chain, shown));
    assert_int_equal(visit(&bed, &link), shown == 7); /* 8 in all */
    assert_int_equal(bed.chain, shown == 7 ? 8 : 0);
    assert_int_equal(bed.lines, shown == 8);
    if (shown == 8) assert_non_null(strstr(bed.line, "comes with a chain that is too long"));
    if (shown == 8) assert_int_equal(link->end.wire_code, 0x100 + GNUTLS_A_BAD_CERTIFICATE);
    authority_free(&leaf);
    for (size_t i = 0; i < 9; i++) authority_free(&chain[i]);
    bed_free(&bed);
  }
}

/* The client's flight takes several packets then, each of which may be lost. */
static void test_client_certificates_over_a_lossy_network(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    struct authority chain[4];
    struct bed bed;
    bed_init(&bed, WT_CLIENT_CERTIFICATES_REQUIRE, true);
    bed.net.random = seed;
    for (int i = 0; i < 2; i++) bed.net.link[i].loss = 200;
    chain[3] = authority_issue("authority 3", &bed.root, DAYS(20));
    chain[2] = authority_issue("authority 2", &chain[3], DAYS(20));
    chain[1] = authority_issue("authority 1", &chain[2], DAYS(20));
    chain[0] = authority_issue("authority 0", &chain[1], DAYS(20));
    struct authority leaf = authority_leaf("alice", &chain[0], -60, DAYS(10), NULL);
    bed_start(&bed, authority_chain_of(&leaf, chain, 4));
    struct client_link *link;
    if (!visit(&bed, &link)) fail_msg("seed %d: %s; %s", (int)seed, link->end.reason, bed.line);
    assert_int_equal(bed.chain, 5);
    assert_true(bed.info.certificate_verified);
    authority_free(&leaf);
    for (size_t i = 0; i < 4; i++) authority_free(&chain[i]);
    bed_free(&bed);
  }
}

/* Without authorities the application has to look, and is told that nobody has. */
static void test_client_certificates_without_authorities_are_not_verified(void **state) {
  (void)state;
  struct bed bed;
  bed_init(&bed, WT_CLIENT_CERTIFICATES_ASK, false);
  wt_certificate *anybody = leaf_of("anybody", NULL, NULL, -60, DAYS(10), NULL);
  bed_start(&bed, anybody);
  assert_true(visit(&bed, NULL));
  assert_string_equal(bed.who.subject, "CN=anybody");
  assert_false(bed.info.certificate_verified);
  bed_free(&bed);
}

/* --- Resumption --- */

static void test_client_certificates_stay_known_on_resumed_sessions(void **state) {
  (void)state;
  struct bed bed;
  bed_init(&bed, WT_CLIENT_CERTIFICATES_REQUIRE, true);
  wt_certificate *alice = leaf_of("alice", &bed.root, NULL, -60, DAYS(10), NULL);
  bed_start(&bed, alice);
  assert_true(visit(&bed, NULL));
  assert_false(bed.info.resumed);
  for (int i = 0; i < 2; i++) {
    memset(&bed.who, 0, sizeof(bed.who));
    assert_true(visit(&bed, NULL));
    assert_true(bed.info.resumed);
    assert_true(bed.info.certificate_verified);
    assert_string_equal(bed.who.subject, "CN=alice");
    assert_int_equal(bed.chain, 1);
  }
  bed_free(&bed);
}

/* No ticket outlives the certificate that it stands for. */
static void test_client_certificates_that_end_soon_get_no_ticket(void **state) {
  (void)state;
  struct bed bed;
  bed_init(&bed, WT_CLIENT_CERTIFICATES_REQUIRE, true);
  wt_certificate *alice = leaf_of("alice", &bed.root, NULL, -60, 600, NULL);
  bed_start(&bed, alice);
  for (int i = 0; i < 2; i++) {
    assert_true(visit(&bed, NULL));
    assert_false(bed.info.resumed);
  }
  bed_free(&bed);
}

/* GnuTLS's clock, of certificates and of its tickets. */
static time_t clock_ahead;

static time_t clock_now(time_t *at) {
  time_t now = time(NULL) + clock_ahead;
  if (at) *at = now;
  return now;
}

/* The clock was wrong when the ticket was given, so it is younger than six hours when the certificate has ended. A client
 * could also lie about its age. */
static void test_client_certificates_that_ended_resume_nothing(void **state) {
  (void)state;
  struct bed bed;
  struct client_link *link;
  bed_init(&bed, WT_CLIENT_CERTIFICATES_REQUIRE, true);
  bed_start(&bed, leaf_of("alice", &bed.root, NULL, -60, 6 * 3600 + 600, NULL));
  gnutls_global_set_time_function(clock_now);
  clock_ahead = 3600;
  assert_true(visit(&bed, NULL));
  assert_true(visit(&bed, NULL));
  assert_true(bed.info.resumed);
  bed.asked = 0;
  clock_ahead = 6 * 3600 + 1200;
  assert_false(visit(&bed, &link));
  assert_int_equal(link->end.wire_code, 0x100 + GNUTLS_A_CERTIFICATE_EXPIRED);
  assert_non_null(strstr(link->end.reason, "the server refuses the client's certificate"));
  assert_non_null(strstr(bed.line, "(CN=alice) has expired"));
  assert_int_equal(bed.lines, 1);
  assert_int_equal(bed.asked, 0);
  gnutls_global_set_time_function(time);
  assert_true(visit(&bed, NULL)); /* the ticket is used up */
  assert_false(bed.info.resumed);
  bed_free(&bed);
}

static void test_client_certificates_options_are_checked(void **state) {
  (void)state;
  struct wt__client_auth auth;
  assert_int_equal(wt__client_auth_init(&auth, WT_CLIENT_CERTIFICATES_ASK, "/nonexistent"), WT_ERR_FILE);
  assert_int_equal(wt__client_auth_init(&auth, WT_CLIENT_CERTIFICATES_ASK, "/dev/null"), WT_ERR_FILE);
  wt__client_auth_free(&auth);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_client_certificates_are_not_asked_for_by_default),
      cmocka_unit_test(test_client_certificates_name_the_client_to_the_handler),
      cmocka_unit_test(test_client_certificates_are_read_from_sessions_of_both_ends),
      cmocka_unit_test(test_client_certificates_that_are_missing),
      cmocka_unit_test(test_client_certificates_that_do_not_verify),
      cmocka_unit_test(test_client_certificates_that_have_expired),
      cmocka_unit_test(test_client_certificates_in_a_long_chain),
      cmocka_unit_test(test_client_certificates_over_a_lossy_network),
      cmocka_unit_test(test_client_certificates_without_authorities_are_not_verified),
      cmocka_unit_test(test_client_certificates_stay_known_on_resumed_sessions),
      cmocka_unit_test(test_client_certificates_that_end_soon_get_no_ticket),
      cmocka_unit_test(test_client_certificates_that_ended_resume_nothing),
      cmocka_unit_test(test_client_certificates_options_are_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
