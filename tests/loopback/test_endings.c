/* SPDX-License-Identifier: MIT */
/*
 * What an application and the log are told about the end of a connection: who ended it, with which code, in which words.
 */
#include "pair.h"
#include "quic/conn.h"
#include "quic/connection_close.h"
#include "quic/endpoint_state.h"
#include "quic/wake.h"

static char lines[8192]; /* of the log */

static void keep_line(enum wt_log_level level, const char *line, void *user_data) {
  size_t len = strlen(lines);
  (void)user_data;
  assert_true(level <= WT_LOG_INFO);
  snprintf(lines + len, sizeof(lines) - len, "%s\n", line);
}

static void log_keep(struct server *server) {
  lines[0] = '\0';
  server->log.level = WT_LOG_INFO;
  server->log.function = keep_line;
}

static void assert_logged(const char *text) {
  if (!strstr(lines, text)) fail_msg("not in the log: %s\n%s", text, lines);
}

static void session_start(struct world *w) {
  world_init(w, 1);
  log_keep(&w->server);
  world_start(w);
  w->session = server_connect(&w->server, w->peer, "/wt", &w->id);
}

static void assert_close(const struct server_session *session, enum wt_cause cause, bool connection) {
  assert_int_equal(session->closes, 1);
  assert_int_equal(session->info.cause, cause);
  assert_int_equal(session->info.connection, connection);
  assert_int_equal(session->info.by, cause == WT_CAUSE_LOCAL  ? WT_LOCAL
                                     : cause == WT_CAUSE_PEER ? WT_PEER
                                                              : WT_TRANSPORT);
}

/* --- The peer's CONNECTION_CLOSE --- */

static void test_endings_application_close_of_the_peer_is_told_with_its_reason(void **state) {
  (void)state;
  struct world w;
  session_start(&w);
  peer_close_with(w.peer, true, 4242, "so long", 7);
  NET_UNTIL(&w.net, 1000, w.session->closes);
  assert_close(w.session, WT_CAUSE_PEER, true);
  assert_false(w.session->info.clean);
  assert_true(w.session->info.wire_is_h3);
  assert_int_equal(w.session->info.wire_code, 4242);
  assert_string_equal(w.session->message, "so long");
  assert_logged("by peer, application code 0x1092: so long");
  world_free(&w);
}

static void test_endings_quic_close_of_the_peer_is_told_with_its_reason(void **state) {
  (void)state;
  struct world w;
  session_start(&w);
  peer_close_with(w.peer, false, NGTCP2_FLOW_CONTROL_ERROR, "too much", 8);
  NET_UNTIL(&w.net, 1000, w.session->closes);
  assert_close(w.session, WT_CAUSE_PEER, true);
  assert_false(w.session->info.wire_is_h3);
  assert_int_equal(w.session->info.wire_code, NGTCP2_FLOW_CONTROL_ERROR);
  assert_string_equal(w.session->message, "too much");
  assert_logged("by peer, QUIC code 0x3: too much");
  world_free(&w);
}

/* The phrase is a stranger's: it can forge no line of the log, and drive no terminal. */
static void test_endings_reason_phrase_of_the_peer_is_cleaned(void **state) {
  (void)state;
  static const char phrase[] = "a\nb\x1b[2Jc\xff"
                               "d\0e";
  struct world w;
  session_start(&w);
  peer_close_with(w.peer, true, 1, phrase, sizeof(phrase) - 1);
  NET_UNTIL(&w.net, 1000, w.session->closes);
  assert_string_equal(w.session->message, "a?b?[2Jc?d?e");
  assert_logged("a?b?[2Jc?d?e");
  world_free(&w);

  char longest[1000];
  memset(longest, 'x', sizeof(longest));
  session_start(&w);
  peer_close_with(w.peer, true, 1, longest, sizeof(longest));
  NET_UNTIL(&w.net, 1000, w.session->closes);
  assert_int_equal(strlen(w.session->message), sizeof(longest));
  world_free(&w);
}

static void test_endings_orderly_close_of_the_peer_is_no_news(void **state) {
  (void)state;
  struct world w;
  session_start(&w);
  peer_close(w.peer, WT__H3_NO_ERROR);
  NET_UNTIL(&w.net, 1000, w.session->closes);
  assert_close(w.session, WT_CAUSE_PEER, true);
  assert_string_equal(w.session->message, "");
  assert_null(strstr(lines, "connection"));
  world_free(&w);
}

/* --- This end --- */

static void test_endings_quic_error_found_here_is_ours(void **state) {
  (void)state;
  static const uint8_t stop[] = {0x05, 0x42, 0x01, 0x00}; /* STOP_SENDING for stream 513, which nobody has opened */
  struct world w;
  session_start(&w);
  peer_queue_frames(w.peer, stop, sizeof(stop));
  peer_flush(w.peer);
  NET_UNTIL(&w.net, 1000, w.session->closes);
  assert_close(w.session, WT_CAUSE_ERROR, true);
  assert_false(w.session->info.wire_is_h3);
  assert_int_equal(w.session->info.wire_code, NGTCP2_STREAM_STATE_ERROR);
  assert_string_equal(w.session->message, "ERR_STREAM_STATE");
  assert_logged("by local error, QUIC code 0x5: ERR_STREAM_STATE");
  world_free(&w);
}

static void test_endings_http3_error_found_here_is_ours(void **state) {
  (void)state;
  static const uint8_t settings_again[] = {0x04, 0x00};
  struct world w;
  session_start(&w);
  peer_send(w.peer, w.peer->control, settings_again, sizeof(settings_again), false);
  NET_UNTIL(&w.net, 1000, w.session->closes);
  assert_close(w.session, WT_CAUSE_ERROR, true);
  assert_true(w.session->info.wire_is_h3);
  assert_int_equal(w.session->info.wire_code, WT__H3_FRAME_UNEXPECTED);
  assert_string_not_equal(w.session->message, "");
  assert_logged("by local error, application code 0x105 H3_FRAME_UNEXPECTED: ERR_H3_FRAME_UNEXPECTED");
  world_free(&w);
}

/* A session that broke its own rules ends alone, and the code has a name. */
static void test_endings_of_a_session_alone(void **state) {
  (void)state;
  struct world w;
  struct bytes bytes = {0};
  session_start(&w);
  capsule(&bytes, WT__CAPSULE_MAX_STREAM_DATA, "xx", 2);
  http_data(w.peer, w.id, bytes.data, bytes.len, false);
  bytes_free(&bytes);
  NET_UNTIL(&w.net, 1000, w.session->closes);
  assert_close(w.session, WT_CAUSE_ERROR, false);
  assert_true(w.session->info.wire_is_h3);
  assert_string_equal(w.session->message, "H3_MESSAGE_ERROR");
  assert_false(w.peer->ended);

  struct server_session *second = server_connect(&w.server, w.peer, "/wt", &w.id);
  assert_int_equal(wt_session_close(second->session, 7, "bye", 3), 0);
  NET_UNTIL(&w.net, 1000, second->closes);
  assert_close(second, WT_CAUSE_LOCAL, false);
  assert_true(second->info.clean);
  assert_string_equal(second->message, "");
  world_free(&w);
}

/* --- Nobody --- */

static void test_endings_timeout_is_told_from_all_else(void **state) {
  (void)state;
  struct world w;
  session_start(&w);
  w.peer->silent = true;
  NET_UNTIL(&w.net, 90000, w.session->closes);
  assert_close(w.session, WT_CAUSE_TIMEOUT, true);
  assert_string_equal(w.session->message, "nothing was heard of the peer for the idle timeout");
  assert_logged("by timeout: nothing was heard");
  world_free(&w);
}

/* --- A client's side --- */

static struct server_session *pair_session(struct pair *p) {
  pair_ready(p);
  struct server_session *session = client_session(&p->client, p->link, "/wt");
  net_run_for(&p->net, 100);
  return session;
}

static void test_endings_client_hears_that_the_server_has_lost_the_connection(void **state) {
  (void)state;
  struct pair p;
  struct server_session *session = pair_session(&p);
  server_stop(&p.server);
  server_start(&p.server); /* with the same key: it answers with stateless resets */
  assert_int_equal(wt_session_send_datagram(session->session, "?", 1), 0);
  NET_UNTIL(&p.net, 1000, session->closes);
  assert_close(session, WT_CAUSE_NETWORK, true);
  assert_string_equal(session->message, "the peer has lost the connection (stateless reset)");
  assert_int_equal(p.link->end.cause, WT_CAUSE_NETWORK);
  pair_free(&p);
}

static void test_endings_both_sides_of_a_close(void **state) {
  (void)state;
  struct pair p;
  struct server_session *session = pair_session(&p);
  wt__h3_conn_close(p.link->h3);
  NET_UNTIL(&p.net, 1000, session->closes && server_session(&p.server, 0)->closes);
  assert_close(session, WT_CAUSE_LOCAL, true);
  assert_close(server_session(&p.server, 0), WT_CAUSE_PEER, true);
  assert_int_equal(server_session(&p.server, 0)->info.wire_code, WT__H3_NO_ERROR);
  pair_free(&p);
}

/* Sessions are closed before their connections, also where both leave at once. */
static void test_endings_sessions_are_closed_before_their_connection(void **state) {
  (void)state;
  struct pair p;
  struct server_session *session = pair_session(&p);
  wt__endpoint_close_sessions(p.server.endpoint, "good night", p.net.now);
  wt__endpoint_run(p.server.endpoint, p.net.now);
  wt__endpoint_close(p.server.endpoint, p.net.now);
  NET_UNTIL(&p.net, 1000, session->closes);
  assert_close(session, WT_CAUSE_PEER, false);
  assert_true(session->info.clean);
  assert_int_equal(session->info.code, 0);
  assert_string_equal(session->reason, "good night");
  assert_close(server_session(&p.server, 0), WT_CAUSE_LOCAL, false);
  pair_free(&p);
}

/* --- The server's last packets on a bad network --- */

/* What becomes of the packets that a server sends while it closes: bit n of a set is about the nth of them. */
struct last_packets {
  unsigned lost, late, seen;
  bool watching;
};

static enum net_verdict last_packets_filter(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                            size_t len) {
  struct last_packets *last = ctx;
  (void)index, (void)data, (void)len;
  if (!last->watching || direction != NET_TO_CLIENT) return NET_PASS;
  unsigned bit = 1U << last->seen++;
  return last->lost & bit ? NET_DROP : last->late & bit ? NET_LATE : NET_PASS;
}

/* A client with a session and a request without an answer, on one connection. */
struct last_pair {
  struct pair pair;
  struct server_session *session;
  struct client_dial *mute;
  struct last_packets last;
};

static void last_pair_init(struct last_pair *l) {
  memset(l, 0, sizeof(*l));
  l->session = pair_session(&l->pair);
  l->mute = client_dial(l->pair.link, "/later", NULL, NULL);
  NET_UNTIL(&l->pair.net, 1000, server_request(&l->pair.server, 1));
  net_run_for(&l->pair.net, 100);
  l->pair.net.filter = last_packets_filter;
  l->pair.net.filter_ctx = &l->last;
}

/* As a server does that is told to close: the first packet has the session's capsule, the second CONNECTION_CLOSE. */
static void last_pair_close(struct last_pair *l) {
  struct wt__endpoint *endpoint = l->pair.server.endpoint;
  uint64_t now = l->pair.net.now;
  l->last.watching = true;
  wt__endpoint_close_sessions(endpoint, "good night", now);
  wt__endpoint_flush(endpoint, now);
  assert_int_equal(l->last.seen, 1);
  wt__endpoint_close(endpoint, now);
  assert_int_equal(l->last.seen, 2);
  l->last.watching = false;
}

static void last_pair_hears_of_the_close(struct last_pair *l) {
  NET_UNTIL(&l->pair.net, 5000, l->pair.link->ends && l->session->closes && l->mute->replies);
  assert_int_equal(l->pair.link->end.by, WT_PEER);
  assert_int_equal(l->pair.link->end.cause, WT_CAUSE_PEER);
  assert_int_equal(l->mute->error, WT_ERR_CLOSED);
  assert_int_equal(l->session->info.by, WT_PEER);
  net_run_for(&l->pair.net, 1000);
  assert_int_equal(l->pair.link->ends, 1);
}

#define CAPSULE 1U
#define CLOSE 2U

/* With the capsule lost or overtaken, the connection's end is what the session is told of. */
static void test_endings_a_capsule_may_be_lost_before_the_close_of_a_connection(void **state) {
  static const struct last_packets cases[] = {{.lost = 0}, {.lost = CAPSULE}, {.late = CAPSULE}};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct last_pair l;
    last_pair_init(&l);
    l.last = cases[i];
    last_pair_close(&l);
    last_pair_hears_of_the_close(&l);
    assert_close(l.session, WT_CAUSE_PEER, i > 0);
    if (i > 0) assert_int_equal(l.session->info.wire_code, WT__H3_NO_ERROR);
    pair_free(&l.pair);
  }
}

/* While its sockets are open a server repeats what it has said; a stateless reset would be another story. */
static void test_endings_a_lost_close_of_a_connection_is_repeated(void **state) {
  static const struct last_packets cases[] = {{.lost = CLOSE}, {.lost = CAPSULE | CLOSE}, {.late = CLOSE}};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct last_pair l;
    last_pair_init(&l);
    l.last = cases[i];
    assert_int_equal(wt_session_send_datagram(l.session->session, "on its way", 10), 0);
    wt__endpoint_run(l.pair.client.endpoint, l.pair.net.now);
    last_pair_close(&l);
    last_pair_hears_of_the_close(&l);
    pair_free(&l.pair);
  }
}

/* A server that has lost its state says so; what it said before and comes later changes nothing. */
static void test_endings_a_reset_before_the_close_of_a_connection_counts(void **state) {
  (void)state;
  struct last_pair l;
  last_pair_init(&l);
  l.last = (struct last_packets){.late = CAPSULE | CLOSE};
  l.pair.net.link[NET_TO_SERVER].delay = NET_MS;
  l.pair.net.link[NET_TO_CLIENT].delay = 200 * NET_MS;
  last_pair_close(&l);
  l.pair.net.link[NET_TO_CLIENT].delay = NET_MS;
  server_stop(&l.pair.server);
  server_start(&l.pair.server);
  assert_int_equal(wt_session_send_datagram(l.session->session, "?", 1), 0);
  NET_UNTIL(&l.pair.net, 100, l.pair.link->ends);
  assert_close(l.session, WT_CAUSE_NETWORK, true);
  assert_int_equal(l.pair.link->end.by, WT_TRANSPORT);
  assert_int_equal(l.mute->error, WT_ERR_CLOSED);
  net_run_for(&l.pair.net, 1000);
  assert_int_equal(l.pair.link->ends, 1);
  pair_free(&l.pair);
}

/* With an optimistic session that the server has not answered. */
static struct client_dial *pair_unanswered(struct pair *p) {
  struct wt__h3_dial_options options;
  pair_ready(p);
  client_dial_options(&options, "/later");
  options.optimistic = true;
  struct client_dial *dial = client_dial(p->link, "/later", &options, NULL);
  NET_UNTIL(&p->net, 1000, server_request(&p->server, 0));
  return dial;
}

/* An optimistic session, which was never answered, hears the same. */
static void test_endings_reach_sessions_without_an_answer(void **state) {
  (void)state;
  struct pair p;
  struct client_dial *dial = pair_unanswered(&p);
  p.server.socket_full = true; /* it falls silent */
  NET_UNTIL(&p.net, 90000, dial->replies);
  assert_close(dial->asked, WT_CAUSE_TIMEOUT, true);
  assert_string_not_equal(dial->asked->message, "");
  pair_free(&p);
}

/* ngtcp2 gives a connection up in the moment in which we wanted to close it: sessions hear why we did. */
static void test_endings_our_reason_outlives_an_end_of_ngtcp2(void **state) {
  (void)state;
  static const int errors[] = {NGTCP2_ERR_IDLE_CLOSE, NGTCP2_ERR_DROP_CONN, NGTCP2_ERR_INTERNAL};
  for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
    struct pair p;
    struct client_dial *dial = pair_unanswered(&p);
    struct wt__conn *conn = WT__CONTAINER_OF(wt__list_first(&p.client.endpoint->conns), struct wt__conn, link);
    wt__conn_want_close(conn, WT_TRANSPORT, WT__H3_EXCESSIVE_LOAD, "it was too much");
    wt__conn_fail(conn, errors[i]);
    NET_UNTIL(&p.net, 1000, dial->replies && p.link->ends);
    assert_close(dial->asked, WT_CAUSE_ERROR, true);
    assert_string_equal(dial->asked->message, "it was too much");
    assert_string_equal(p.link->end.reason, "it was too much");
    assert_int_equal(p.link->end.wire_code, WT__H3_EXCESSIVE_LOAD);
    assert_int_equal(p.link->end.error, WT_ERR_PROTOCOL);
    pair_free(&p);
  }
}

/* --- An application closes the connection --- */

#define OWN_CODE UINT64_C(4242)

static void check_left(struct server_session *left, struct server_session *told, const char *reason) {
  assert_close(left, WT_CAUSE_LOCAL, true);
  assert_int_equal(left->info.wire_code, wt_error_code_to_wire(OWN_CODE));
  assert_false(left->info.clean || left->info.has_code);
  assert_close(told, WT_CAUSE_PEER, true);
  assert_int_equal(told->info.wire_code, wt_error_code_to_wire(OWN_CODE));
  assert_true(told->info.wire_is_h3);
  assert_string_equal(told->message, reason);
}

/* From either end: each of its sessions is told once, with the code, and the peer with the reason too. */
static void test_endings_a_session_closes_its_connection(void **state) {
  (void)state;
  for (int by_server = 0; by_server < 2; by_server++) {
    struct pair p;
    struct server_session *client[2], *server[2];
    pair_init(&p);
    pair_connect(&p);
    NET_UNTIL(&p.net, 5000, p.link->ready);
    for (size_t i = 0; i < 2; i++) {
      client[i] = client_session(&p.client, p.link, "/wt");
      NET_UNTIL(&p.net, 1000, server_session(&p.server, i));
      server[i] = server_session(&p.server, i);
    }
    struct server_session **mine = by_server ? server : client, **theirs = by_server ? client : server;
    wt_session *session = mine[0]->session;
    assert_int_equal(wt_session_close_connection(session, UINT64_C(1) << 62, NULL, 0), WT_ERR_INVALID);
    assert_int_equal(wt_session_close_connection(session, 0x100, "\xff", 1), WT_ERR_INVALID);
    assert_int_equal(wt_session_close_connection(session, 0x100, "a\0b", 3), WT_ERR_INVALID);
    assert_int_equal(wt_session_close_connection(session, 0x100, NULL, 1), WT_ERR_INVALID);
    assert_int_equal(wt_session_close_connection(session, wt_error_code_to_wire(OWN_CODE), "go away", 7), 0);
    assert_int_equal(mine[0]->closes, 0); /* not from inside */
    assert_int_equal(wt_session_close_connection(session, 0x100, "again", 5), 0);
    NET_UNTIL(&p.net, 1000, theirs[0]->closes && theirs[1]->closes && mine[0]->closes && mine[1]->closes);
    for (size_t i = 0; i < 2; i++) check_left(mine[i], theirs[i], "go away");
    pair_free(&p);
  }
}

/* A stream has bytes to tell, and a session a datagram: nothing but ends comes once the connection is closed. */
static void close_in_stream(struct server *server, enum server_event event, struct server_session *session,
                            struct server_stream *stream) {
  unsigned *events = server->hook_ctx;
  (void)stream;
  if (event == SERVER_SESSION_CLOSE || event == SERVER_STREAM_CLOSE || event == SERVER_UPGRADED) return;
  ++*events;
  assert_int_equal(wt_session_close_connection(session->session, wt_error_code_to_wire(OWN_CODE), "", 0), 0);
}

static void test_endings_nothing_comes_behind_the_close_of_a_connection(void **state) {
  (void)state;
  struct pair p;
  unsigned events = 0;
  int error;
  size_t written;
  struct server_session *session = pair_session(&p);
  p.server.hook = close_in_stream;
  p.server.hook_ctx = &events;
  for (int i = 0; i < 3; i++) {
    struct server_stream *stream = server_open(session, i % 2 != 0, &error);
    assert_int_equal(wt_stream_write(stream->stream, "hello", 5, &written), 0);
    assert_int_equal(wt_session_send_datagram(session->session, "hello", 5), 0);
  }
  NET_UNTIL(&p.net, 1000, session->closes && server_session(&p.server, 0)->closes);
  assert_int_equal(events, 1);
  check_left(server_session(&p.server, 0), session, "");
  pair_free(&p);
}

static void handle_and_leave(wt_request *request, void *user_data) {
  struct server_request *record = server_request_new(user_data, request);
  char long_reason[400];
  (void)record;
  memset(long_reason, 'r', sizeof(long_reason));
  memcpy(long_reason + 254, "\xe2\x82\xac", 3); /* a character across the end: it is left out */
  assert_int_equal(wt_request_close_connection(request, UINT64_MAX, NULL, 0), WT_ERR_INVALID);
  assert_string_not_equal(wt_request_error(request), "");
  assert_int_equal(
      wt_request_close_connection(request, wt_error_code_to_wire(OWN_CODE), long_reason, sizeof(long_reason)), 0);
}

static void test_endings_a_request_closes_its_connection(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  server_handle(&p.server, "/leave", handle_and_leave);
  pair_connect(&p);
  NET_UNTIL(&p.net, 5000, p.link->ready);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  struct client_dial *dial = client_dial(p.link, "/leave", NULL, NULL);
  if (dial == NULL) { /* one session a connection */
    pair_free(&p);
    fail_msg("the second dial cannot begin");
  }
  NET_UNTIL(&p.net, 5000, session->closes && dial->replies);
  assert_close(session, WT_CAUSE_PEER, true);
  assert_int_equal(strlen(session->message), 254);
  assert_close(server_session(&p.server, 0), WT_CAUSE_LOCAL, true);
  assert_int_equal(server_request(&p.server, 1)->closes, 1);
  assert_int_equal(server_request(&p.server, 1)->close_error, WT_ERR_CLOSED);
  pair_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_endings_application_close_of_the_peer_is_told_with_its_reason),
      cmocka_unit_test(test_endings_quic_close_of_the_peer_is_told_with_its_reason),
      cmocka_unit_test(test_endings_reason_phrase_of_the_peer_is_cleaned),
      cmocka_unit_test(test_endings_orderly_close_of_the_peer_is_no_news),
      cmocka_unit_test(test_endings_quic_error_found_here_is_ours),
      cmocka_unit_test(test_endings_http3_error_found_here_is_ours),
      cmocka_unit_test(test_endings_of_a_session_alone),
      cmocka_unit_test(test_endings_timeout_is_told_from_all_else),
      cmocka_unit_test(test_endings_client_hears_that_the_server_has_lost_the_connection),
      cmocka_unit_test(test_endings_both_sides_of_a_close),
      cmocka_unit_test(test_endings_a_session_closes_its_connection),
      cmocka_unit_test(test_endings_nothing_comes_behind_the_close_of_a_connection),
      cmocka_unit_test(test_endings_a_request_closes_its_connection),
      cmocka_unit_test(test_endings_reach_sessions_without_an_answer),
      cmocka_unit_test(test_endings_our_reason_outlives_an_end_of_ngtcp2),
      cmocka_unit_test(test_endings_sessions_are_closed_before_their_connection),
      cmocka_unit_test(test_endings_a_capsule_may_be_lost_before_the_close_of_a_connection),
      cmocka_unit_test(test_endings_a_lost_close_of_a_connection_is_repeated),
      cmocka_unit_test(test_endings_a_reset_before_the_close_of_a_connection_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
