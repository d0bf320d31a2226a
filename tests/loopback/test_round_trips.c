/* SPDX-License-Identifier: MIT */
/*
 * How many round trips lie between a client's first packet and a session, and its first bytes: nothing else takes time on
 * this network, so the clock counts them.
 */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ONE_WAY_MS 50
#define ROUND_TRIP (2 * ONE_WAY_MS * NET_MS)

/* In round trips. `session`: the client has it. `byte`: it has a byte that the server has sent by itself. `answer`: it has
 * an answer to a byte of its own. */
struct trips {
  unsigned session, byte, answer;
};

struct visit {
  struct pair pair;
  uint64_t begun, session, byte, answer;
  struct client_dial *dial;
  struct server_stream *asked; /* the client's, which is echoed */
  bool optimistic;
};

static const char text[] = "hello";

static void send_text(struct server_session *session, bool uni, struct server_stream **stream) {
  size_t written;
  int error;
  *stream = server_open(session, uni, &error);
  assert_non_null(*stream);
  assert_int_equal(wt_stream_write((*stream)->stream, text, strlen(text), &written), 0);
}

/* The server says hello in each session. */
static void greet(struct server *server, enum server_event event, struct server_session *session,
                  struct server_stream *stream) {
  (void)server;
  if (event == SERVER_UPGRADED) send_text(session, true, &stream);
}

/* The client has bytes of the server's. */
static void hear(struct server *records, enum server_event event, struct server_session *session,
                 struct server_stream *stream) {
  struct visit *visit = records->hook_ctx;
  (void)session;
  if (event != SERVER_DATA) return;
  uint64_t *at = stream == visit->asked ? &visit->answer : &visit->byte;
  if (*at == 0) *at = visit->pair.net.now;
}

static void use_at_once(struct client *client, struct client_dial *dial) {
  struct visit *visit = client->hook_ctx;
  send_text(dial->asked, false, &visit->asked);
}

static void on_reply(struct client *client, struct client_dial *dial) {
  struct visit *visit = client->hook_ctx;
  assert_int_equal(dial->error, 0);
  visit->session = visit->pair.net.now;
  if (!visit->optimistic) send_text(dial->session, false, &visit->asked);
}

static void visit_init(struct visit *visit) {
  memset(visit, 0, sizeof(*visit));
  pair_init(&visit->pair);
  visit->pair.net.link[0].delay = visit->pair.net.link[1].delay = ONE_WAY_MS * NET_MS;
  visit->pair.server.hook = greet;
  visit->pair.client.records.hook = hear;
  visit->pair.client.on_reply = on_reply;
  visit->pair.client.records.hook_ctx = visit->pair.client.hook_ctx = visit;
  visit->pair.client.connect.resumption_key = "localhost:4000";
  visit->begun = visit->pair.net.now;
}

/* Dials on the connection that is there, or is being made. */
static struct trips visit_count(struct visit *visit, bool optimistic) {
  struct wt__h3_dial_options options;
  client_dial_options(&options, "/echo");
  options.optimistic = visit->optimistic = optimistic;
  visit->pair.client.on_asked = optimistic ? use_at_once : NULL;
  visit->session = visit->byte = visit->answer = 0;
  visit->asked = NULL;
  visit->dial = client_dial(visit->pair.link, "/echo", &options, NULL);
  assert_non_null(visit->dial);
  NET_UNTIL(&visit->pair.net, 5000, visit->session && visit->byte && visit->answer);
  struct trips trips = {(unsigned)((visit->session - visit->begun) / ROUND_TRIP),
                        (unsigned)((visit->byte - visit->begun) / ROUND_TRIP),
                        (unsigned)((visit->answer - visit->begun) / ROUND_TRIP)};
  print_message("session %u, byte %u, answer %u\n", trips.session, trips.byte, trips.answer);
  assert_true((visit->session - visit->begun) % ROUND_TRIP < 5 * NET_MS); /* whole ones: no timer in between */
  return trips;
}

static void check(struct trips trips, unsigned session, unsigned byte, unsigned answer) {
  assert_int_equal(trips.session, session);
  assert_int_equal(trips.byte, byte);
  assert_int_equal(trips.answer, answer);
}

static void connect_again(struct visit *visit) {
  struct sockaddr_in address = server_address();
  visit->begun = visit->pair.net.now;
  visit->pair.link = client_connect(&visit->pair.client, &address, NULL);
  assert_non_null(visit->pair.link);
}

static bool is_resumed(const struct visit *visit) {
  struct wt_connection_info info = {.size = sizeof(info)};
  wt__h3_conn_get_info(visit->pair.link->h3, &info);
  return info.resumed;
}

static void leave(struct visit *visit) {
  net_run_for(&visit->pair.net, 1000); /* tickets and tokens come */
  wt__h3_conn_close(visit->pair.link->h3);
  NET_UNTIL(&visit->pair.net, 1000, visit->pair.link->ends);
}

/* One for the handshake, whose first answer brings SETTINGS along; one for the request. */
static void test_round_trips_to_a_new_session(void **state) {
  (void)state;
  for (int optimistic = 0; optimistic < 2; optimistic++) {
    struct visit visit;
    visit_init(&visit);
    pair_connect(&visit.pair);
    check(visit_count(&visit, optimistic), 2, 2, optimistic ? 2 : 3);
    assert_false(is_resumed(&visit));
    pair_free(&visit.pair);
  }
}

/* A resumed handshake saves a signature and the certificates, but no round trip: there is no 0-RTT. */
static void test_round_trips_to_a_resumed_session(void **state) {
  (void)state;
  for (int optimistic = 0; optimistic < 2; optimistic++) {
    struct visit visit;
    visit_init(&visit);
    pair_connect(&visit.pair);
    visit_count(&visit, false);
    leave(&visit);
    connect_again(&visit);
    check(visit_count(&visit, optimistic), 2, 2, optimistic ? 2 : 3);
    assert_true(is_resumed(&visit));
    pair_free(&visit.pair);
  }
}

/* The request alone. */
static void test_round_trips_to_a_pooled_session(void **state) {
  (void)state;
  for (int optimistic = 0; optimistic < 2; optimistic++) {
    struct visit visit;
    visit_init(&visit);
    pair_connect(&visit.pair);
    visit_count(&visit, false);
    net_run_for(&visit.pair.net, 1000);
    visit.begun = visit.pair.net.now;
    check(visit_count(&visit, optimistic), 1, 1, optimistic ? 1 : 2);
    pair_free(&visit.pair);
  }
}

/* A server that asks for proof of the address takes one more, but none of a client that has its token (RFC 9000, section
 * 8.1.3). */
static void test_round_trips_with_retry(void **state) {
  (void)state;
  for (int optimistic = 0; optimistic < 2; optimistic++) {
    struct visit visit;
    visit_init(&visit);
    visit.pair.server.config.retry = WT_RETRY_ALWAYS;
    pair_connect(&visit.pair);
    check(visit_count(&visit, optimistic), 3, 3, optimistic ? 3 : 4);
    leave(&visit);
    connect_again(&visit);
    check(visit_count(&visit, optimistic), 2, 2, optimistic ? 2 : 3);
    pair_free(&visit.pair);
  }
}

/* Until the client's address is proven, a server may send three times what it has received (RFC 9000, section 8.1). A
 * chain that is larger waits for a round trip. A resumed handshake has none, and a token proves the address. */
static void test_round_trips_with_a_large_certificate(void **state) {
  (void)state;
  enum {
    NAMES = 40,
    NAME_LEN = 100
  };
  char names[NAMES][NAME_LEN];
  const char *pointers[NAMES];
  wt_certificate *certificate;
  for (unsigned i = 0; i < NAMES; i++) {
    snprintf(names[i], NAME_LEN, "%045u.%045u.test", i, i);
    pointers[i] = names[i];
  }
  assert_int_equal(wt_certificate_generate(pointers, NAMES, 10, &certificate), 0);
  for (int optimistic = 0; optimistic < 2; optimistic++) {
    struct visit visit;
    visit_init(&visit);
    assert_int_equal(wt__tls_context_set_certificates(visit.pair.server.tls, &certificate, 1), 0);
    pair_connect(&visit.pair);
    check(visit_count(&visit, optimistic), 3, 3, optimistic ? 3 : 4);
    leave(&visit);
    connect_again(&visit);
    check(visit_count(&visit, optimistic), 2, 2, optimistic ? 2 : 3);
    pair_free(&visit.pair);
  }
  wt_certificate_free(certificate);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trips_to_a_new_session),
      cmocka_unit_test(test_round_trips_to_a_resumed_session),
      cmocka_unit_test(test_round_trips_to_a_pooled_session),
      cmocka_unit_test(test_round_trips_with_retry),
      cmocka_unit_test(test_round_trips_with_a_large_certificate),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
