/* SPDX-License-Identifier: MIT */
/*
 * Whatever peers do, and however often: how many lines they make the server write to its log at the levels that are on
 * by default. No line is left out without being counted in a later one.
 */
#include "pair.h"

#define OF_REFUSALS 10  /* lines at once, and one a second */
#define OF_SESSIONS 100 /* lines at once, and as many a second */
#define MANY 300

struct tally {
  size_t written, left_out; /* lines with `wanted` in them, and what those told of others */
  size_t others;
  const char *wanted;
};

static void count_line(enum wt_log_level level, const char *line, void *user_data) {
  struct tally *tally = user_data;
  const char *more = strstr(line, "(and ");
  if (level > WT_LOG_INFO) return;
  if (!strstr(line, tally->wanted)) {
    tally->others++;
    return;
  }
  tally->written++;
  if (more) tally->left_out += strtoull(more + 5, NULL, 10);
}

static void tally_begin(struct world *w, struct tally *tally, const char *wanted) {
  *tally = (struct tally){.wanted = wanted};
  world_init(w, 1);
  w->server.forget = true;
  w->server.log = (struct wt__log){.level = WT_LOG_INFO, .function = count_line, .user_data = tally};
}

/* Something was done `count` times, since the time `since`, each of which would be a line. */
static void tally_check(const struct world *w, const struct tally *tally, uint64_t since, size_t burst,
                        size_t per_second) {
  size_t seconds = (size_t)((w->net.now - since) / (1000 * NET_MS)) + 1;
  assert_in_range(tally->written, burst, burst + seconds * per_second);
  assert_true(tally->others <= OF_REFUSALS + seconds);
}

/* --- Sessions --- */

static void session_open_and_close(struct world *w, struct peer *peer) {
  struct bytes bytes = {0};
  size_t opened = w->server.counters.sessions_total;
  int64_t id = http_connect(peer, "webtransport", "/wt", NULL, NULL);
  NET_UNTIL(&w->net, 5000, w->server.counters.sessions_total > opened);
  capsule_close(&bytes, 0, "");
  http_data(peer, id, bytes.data, bytes.len, true);
  bytes_free(&bytes);
  NET_UNTIL(&w->net, 5000, w->server.counters.sessions_open == 0);
}

static void test_log_lines_of_sessions_that_come_and_go(void **state) {
  (void)state;
  struct world w;
  struct tally tally;
  tally_begin(&w, &tally, "session ");
  w.net.link[0].delay = w.net.link[1].delay = NET_MS / 10;
  w.server.config.h3.max_session_rate = 0;
  world_start(&w);
  uint64_t since = w.net.now;
  for (size_t i = 0; i < MANY; i++) session_open_and_close(&w, w.peer);
  assert_int_equal(w.server.counters.sessions_total, MANY);
  assert_true(w.net.now - since < 1000 * NET_MS);
  tally_check(&w, &tally, since, OF_SESSIONS, OF_SESSIONS);
  net_run_for(&w.net, 2000);
  session_open_and_close(&w, w.peer);
  assert_int_equal(tally.written + tally.left_out, MANY + 1);
  world_free(&w);
}

/* An ordinary server's log has a line for each. */
static void test_log_lines_of_ordinary_sessions_are_complete(void **state) {
  (void)state;
  struct world w;
  struct tally tally;
  tally_begin(&w, &tally, "session ");
  w.server.config.h3.max_session_rate = 0;
  world_start(&w);
  for (size_t i = 0; i < MANY; i++) {
    session_open_and_close(&w, w.peer);
    net_run_for(&w.net, 10);
  }
  assert_int_equal(tally.written, MANY);
  assert_int_equal(tally.left_out, 0);
  assert_int_equal(tally.others, 0);
  world_free(&w);
}

/* --- Requests --- */

static void peer_again(struct world *w) {
  struct sockaddr_in address = server_address();
  peer_free(w->peer);
  w->peer = peer_new(&w->net, &address, &w->options);
  NET_UNTIL(&w->net, 5000, w->peer->handshake_confirmed);
}

static void request_and_wait(struct world *w, const char *path, const struct field *fields) {
  int64_t id = http_request(w->peer, "GET", path, fields, true);
  if (id < 0) {
    peer_again(w);
    id = http_request(w->peer, "GET", path, fields, true);
  }
  NET_UNTIL(&w->net, 5000, w->peer->ended || peer_stream(w->peer, id)->closed);
  if (w->peer->ended) peer_again(w);
}

static void lines_of_requests(const char *wanted, const struct field *fields) {
  struct world w;
  struct tally tally;
  tally_begin(&w, &tally, wanted);
  w.net.link[0].delay = w.net.link[1].delay = NET_MS / 10;
  world_start(&w);
  uint64_t since = w.net.now;
  for (size_t i = 0; i < MANY; i++) request_and_wait(&w, "/hello", fields);
  assert_true(w.net.now - since < 3000 * NET_MS);
  tally_check(&w, &tally, since, OF_REFUSALS, 1);
  net_run_for(&w.net, 20000);
  peer_again(&w);
  size_t last = tally.left_out;
  request_and_wait(&w, "/hello", fields);
  assert_true(tally.left_out > last);
  world_free(&w);
}

static void test_log_lines_of_requests_that_are_refused(void **state) {
  static const struct field unclear[] = {{"origin", "https://a"}, {"origin", "https://b"}, {NULL, NULL}};
  (void)state;
  lines_of_requests("is refused", unclear);
}

static void test_log_lines_of_malformed_requests(void **state) {
  static const struct field malformed[] = {{"host", "elsewhere.example"}, {NULL, NULL}};
  (void)state;
  lines_of_requests("is refused", malformed);
}

/* --- Streams, connections --- */

static void test_log_lines_of_streams_that_are_given_up(void **state) {
  (void)state;
  struct world w;
  struct tally tally;
  tally_begin(&w, &tally, "is given up");
  w.server.config.h3.header_timeout_ms = 100;
  world_start(&w);
  uint64_t since = w.net.now;
  for (size_t i = 0; i < 200; i++) {
    int64_t id = peer_open_bidi(w.peer);
    peer_queue(w.peer, id, "\x01\x40", 2, false);
  }
  peer_flush(w.peer);
  net_run_for(&w.net, 500);
  assert_int_equal(w.server.counters.progress.given_up, 200);
  tally_check(&w, &tally, since, 5, 1);
  assert_int_equal(tally.others, 0);
  world_free(&w);
}

static void lines_of_connections(const char *wanted, void (*fault)(struct world *w)) {
  struct world w;
  struct tally tally;
  tally_begin(&w, &tally, wanted);
  w.net.link[0].delay = w.net.link[1].delay = NET_MS / 10;
  world_start(&w);
  uint64_t since = w.net.now;
  for (size_t i = 0; i < 50; i++) {
    fault(&w);
    net_run_for(&w.net, 5);
    peer_again(&w);
  }
  tally_check(&w, &tally, since, OF_REFUSALS, 1);
  world_free(&w);
}

static void close_with_an_error(struct world *w) { peer_close_with(w->peer, true, 0x1234, "so\nlong", 7); }

static void send_a_frame_that_is_not_allowed(struct world *w) {
  peer_send(w->peer, w->peer->control, "\x04\x00", 2, false); /* a second SETTINGS */
}

static void test_log_lines_of_connections_that_end(void **state) {
  (void)state;
  lines_of_connections("ends, by peer", close_with_an_error);
  lines_of_connections("ends, by local error", send_a_frame_that_is_not_allowed);
}

/* The way to all of them carries less from one moment on. */
static void test_log_lines_of_paths_that_carry_less(void **state) {
  (void)state;
  struct world w;
  struct tally tally;
  struct peer *peers[16];
  struct sockaddr_in address = server_address();
  tally_begin(&w, &tally, "the path carries");
  w.options.frugal = true;
  world_start(&w);
  w.net.link[NET_TO_CLIENT].bandwidth = 2500000;
  w.net.link[NET_TO_CLIENT].queue_max = 200 * NET_MS;
  for (size_t i = 0; i < 16; i++) {
    w.options.address = (unsigned)i + 2;
    peers[i] = peer_new(&w.net, &address, &w.options);
    NET_UNTIL(&w.net, 5000, peers[i]->handshake_confirmed);
    http_request(peers[i], "GET", "/source?bytes=100000000", NULL, true);
  }
  net_run_for(&w.net, 1000);
  assert_int_equal(tally.written, 0);
  uint64_t since = w.net.now;
  w.net.link[NET_TO_CLIENT].mtu = 1300;
  net_run_for(&w.net, 1500);
  tally_check(&w, &tally, since, OF_REFUSALS, 1);
  for (size_t i = 0; i < 16; i++) peer_free(peers[i]);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_log_lines_of_sessions_that_come_and_go),
      cmocka_unit_test(test_log_lines_of_ordinary_sessions_are_complete),
      cmocka_unit_test(test_log_lines_of_requests_that_are_refused),
      cmocka_unit_test(test_log_lines_of_malformed_requests),
      cmocka_unit_test(test_log_lines_of_streams_that_are_given_up),
      cmocka_unit_test(test_log_lines_of_connections_that_end),
      cmocka_unit_test(test_log_lines_of_paths_that_carry_less),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
