/* SPDX-License-Identifier: MIT */
/*
 * The bound on the memory of all connections together (`max_memory`): what a crowd that fills its windows can make the
 * server hold, what is refused then, who goes on, and that all is as before when the crowd has gone.
 */
#include "quic/budget.h"

#include "world.h"

#define KIB 1024
#define MAX (4 * 1024 * KIB)
#define HOGS 40
#define HOG_STREAMS 4
#define STREAM (64 * KIB)
#define REFUSED 2 /* CONNECTION_REFUSED */

struct crowd {
  struct world world; /* its peer has a session at /echo */
  struct peer *hogs[HOGS];
  struct server_session *sessions[HOGS];
  size_t count; /* of hogs that got a session */
  size_t highest;
};

static struct wt__endpoint_stats stats_of(const struct crowd *c) {
  struct wt__endpoint_stats stats;
  wt__endpoint_get_stats(c->world.server.endpoint, &stats);
  return stats;
}

/* Streams of sessions at /wt are not read. */
static void hook(struct server *server, enum server_event event, struct server_session *session,
                 struct server_stream *stream) {
  (void)server;
  if (event == SERVER_STREAM && strcmp(session->path, "/wt") == 0) wt_stream_pause(stream->stream);
}

static void crowd_run(struct crowd *c, uint64_t ms) {
  uint64_t until = c->world.net.now + ms * NET_MS;
  while (net_step(&c->world.net, until)) {
    size_t used = (size_t)stats_of(c).memory_used;
    if (used > c->highest) c->highest = used;
  }
}

static void crowd_init(struct crowd *c, size_t max) {
  struct world *w = &c->world;
  memset(c, 0, sizeof(*c));
  world_init(w, 1);
  w->server.hook = hook;
  w->server.config.max_memory = max;
  w->server.config.initial_max_data = 4 * STREAM;
  w->server.config.max_data = 32 * STREAM;
  w->server.config.initial_max_stream_data = STREAM;
  w->server.config.max_stream_data = 32 * STREAM;
  world_start(w);
  w->session = server_connect(&w->server, w->peer, "/echo", &w->id);
}

static struct peer *crowd_peer(struct crowd *c, unsigned address) {
  struct sockaddr_in to = server_address();
  struct peer_options options = c->world.options;
  options.address = address;
  struct peer *peer = peer_new(&c->world.net, &to, &options);
  NET_UNTIL(&c->world.net, 5000, peer->ended || (peer->handshake_confirmed && peer->control >= 0));
  return peer;
}

/* One more connection that fills its window. False: it was refused. */
static bool crowd_add(struct crowd *c) {
  static uint8_t data[STREAM];
  struct peer *peer = crowd_peer(c, 2 + (unsigned)c->count);
  int64_t id;
  if (peer->ended) {
    assert_true(peer->close_received && !peer->close_is_app);
    assert_int_equal(peer->close_code, REFUSED);
    peer_free(peer);
    return false;
  }
  c->sessions[c->count] = server_connect(&c->world.server, peer, "/wt", &id);
  c->hogs[c->count++] = peer;
  for (int i = 0; i < HOG_STREAMS; i++) peer_wt_open(peer, true, id, data, sizeof(data), true);
  crowd_run(c, 300);
  return true;
}

/* `len` bytes there and back on a stream of the old session. */
static void check_echo(struct crowd *c, size_t len, uint64_t seed) {
  struct world *w = &c->world;
  uint8_t *data = pattern_new(len, seed);
  int64_t id = peer_wt_open(w->peer, false, w->id, data, len, true);
  free(data);
  NET_UNTIL(&w->net, 20000, world_received(w, id, 0, len, seed));
}

/* The answer to a new session on the old connection. */
static int ask_session(struct crowd *c) {
  struct peer *peer = c->world.peer;
  int64_t id = http_connect(peer, "webtransport", "/wt", NULL, NULL);
  NET_UNTIL(&c->world.net, 5000, http_status(peer, id) != 0);
  int status = http_status(peer, id);
  if (status != 200) return status;
  struct bytes bytes = {0};
  capsule_close(&bytes, 0, "");
  http_data(peer, id, bytes.data, bytes.len, true);
  bytes_free(&bytes);
  return status;
}

static int ask_request(struct crowd *c) {
  int64_t id = http_request(c->world.peer, "GET", "/hello", NULL, true);
  NET_UNTIL(&c->world.net, 5000, http_status(c->world.peer, id) != 0);
  return http_status(c->world.peer, id);
}

static void crowd_leave(struct crowd *c) {
  for (size_t i = 0; i < c->count; i++) peer_close(c->hogs[i], WT__H3_NO_ERROR);
  crowd_run(c, 10000);
  for (size_t i = 0; i < c->count; i++) peer_free(c->hogs[i]);
}

static void crowd_free(struct crowd *c) {
  peer_close(c->world.peer, WT__H3_NO_ERROR);
  net_run_for(&c->world.net, 5000);
  assert_int_equal(stats_of(c).connections_open, 0);
  assert_int_equal(stats_of(c).memory_used, 0);
  world_free(&c->world);
}

/* --- Tests --- */

static void test_budget_of_a_connection_is_counted_and_given_back(void **state) {
  struct crowd c;
  (void)state;
  crowd_init(&c, 0);
  size_t idle = (size_t)stats_of(&c).memory_used;
  assert_true(idle > WT__BUDGET_CONNECTION);
  assert_true(crowd_add(&c));
  size_t held = (size_t)stats_of(&c).memory_used - idle;
  assert_true(held > HOG_STREAMS * STREAM); /* unread bytes count */
  assert_true(held < idle + 3 * HOG_STREAMS * STREAM);
  crowd_leave(&c);
  assert_in_range(stats_of(&c).memory_used, idle - KIB, idle + KIB); /* of QUIC's own */
  crowd_free(&c);
}

static void test_budget_full_server_refuses_and_goes_on(void **state) {
  struct crowd c;
  (void)state;
  const size_t max = MAX + 256 * KIB; /* three quarters are not near to what a whole number of hogs takes */
  crowd_init(&c, max);
  check_echo(&c, 10000, 1);
  while (c.count < HOGS && crowd_add(&c)) continue;
  assert_in_range(c.count, 5, HOGS - 1);
  assert_true(stats_of(&c).memory_used >= max / 4 * 3);
  assert_int_equal(stats_of(&c).memory_refused_connections, 1);

  assert_int_equal(ask_session(&c), 503);
  assert_int_equal(ask_request(&c), 503);
  assert_int_equal(c.world.server.counters.requests_refused, 2);
  assert_int_equal(c.world.server.counters.sessions_total, c.count + 1);
  for (uint64_t i = 0; i < 8; i++) check_echo(&c, 2 * STREAM, i); /* four times its connection's window */
  for (size_t i = 0; i < c.count; i++) assert_false(c.hogs[i]->ended);
  assert_true(c.highest <= max);

  crowd_leave(&c);
  assert_true(stats_of(&c).memory_used < max / 8);
  assert_int_equal(ask_session(&c), 200);
  assert_int_equal(ask_request(&c), 200);
  struct peer *peer = crowd_peer(&c, 100);
  assert_false(peer->ended);
  peer_close(peer, WT__H3_NO_ERROR);
  peer_free(peer);
  crowd_free(&c);
}

/* All of the crowd is there before anybody has sent a byte: to refuse connections does not help. */
static void test_budget_holds_against_windows_that_were_granted(void **state) {
  static uint8_t data[STREAM];
  struct crowd c;
  int64_t ids[HOGS];
  (void)state;
  crowd_init(&c, MAX);
  for (; c.count < 30; c.count++) {
    c.hogs[c.count] = crowd_peer(&c, 2 + (unsigned)c.count);
    assert_false(c.hogs[c.count]->ended);
    c.sessions[c.count] = server_connect(&c.world.server, c.hogs[c.count], "/wt", &ids[c.count]);
  }
  assert_true(stats_of(&c).memory_used < MAX / 4 * 3);
  for (size_t i = 0; i < c.count; i++) {
    for (int k = 0; k < HOG_STREAMS; k++) peer_wt_open(c.hogs[i], true, ids[i], data, sizeof(data), true);
  }
  crowd_run(&c, 3000); /* nearly twice the limit, if it were let in */
  assert_true(stats_of(&c).memory_used >= MAX / 4 * 3);
  assert_true(stats_of(&c).memory_refused_packets > 0);
  if (c.highest > MAX) fail_msg("%zu KiB were held", c.highest / KIB);
  check_echo(&c, 20000, 5);

  /* The application reads: all of it comes, since nobody's connection has ended. */
  for (size_t i = 0; i < c.count; i++) c.sessions[i]->path[1] = 'x'; /* the hook lets the next ones run */
  for (int rounds = 0; rounds < 60; rounds++) {
    for (size_t i = 0; i < c.count; i++) {
      for (size_t k = 0; k < HOG_STREAMS; k++) {
        struct server_stream *stream = server_stream(c.sessions[i], k);
        if (stream && stream->stream) wt_stream_resume(stream->stream);
      }
    }
    crowd_run(&c, 500);
  }
  for (size_t i = 0; i < c.count; i++) {
    assert_false(c.hogs[i]->ended);
    for (size_t k = 0; k < HOG_STREAMS; k++) {
      assert_non_null(server_stream(c.sessions[i], k));
      assert_int_equal(server_stream(c.sessions[i], k)->rx_total, STREAM);
    }
  }
  assert_int_equal(ask_session(&c), 200);
  crowd_leave(&c);
  crowd_free(&c);
}

/* Sends without pause to a session that reads all. Returns the most that was sent and not yet told as consumed. */
static uint64_t window_reached(struct crowd *c) {
  struct world *w = &c->world;
  static uint8_t data[256 * STREAM];
  uint64_t left = 0, most = 0;
  int64_t id = peer_wt_open(w->peer, true, w->id, NULL, 0, false);
  NET_UNTIL(&w->net, 1000, server_stream(w->session, 0));
  struct server_stream *stream = server_stream(w->session, 0);
  uint64_t before = stream->rx_total;
  peer_send(w->peer, id, data, sizeof(data), true);
  while (stream->rx_total < before + sizeof(data)) {
    assert_true(net_step(&w->net, w->net.now + 10000 * NET_MS));
    left = ngtcp2_conn_get_max_data_left(w->peer->conn);
    if (left > most) most = left;
  }
  return most;
}

static void test_budget_windows_do_not_grow_above_half(void **state) {
  struct crowd c;
  (void)state;
  crowd_init(&c, MAX);
  c.world.session->path[0] = '\0';
  c.world.session->echo = false;
  c.world.server.frugal = true;
  while (stats_of(&c).memory_used < MAX / 2) assert_true(crowd_add(&c));
  crowd_run(&c, 100);
  assert_true(window_reached(&c) <= 4 * STREAM);
  crowd_leave(&c);
  crowd_free(&c);

  crowd_init(&c, MAX);
  c.world.session->path[0] = '\0';
  c.world.session->echo = false;
  c.world.server.frugal = true;
  assert_true(window_reached(&c) > 8 * STREAM);
  crowd_free(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_budget_of_a_connection_is_counted_and_given_back),
      cmocka_unit_test(test_budget_full_server_refuses_and_goes_on),
      cmocka_unit_test(test_budget_holds_against_windows_that_were_granted),
      cmocka_unit_test(test_budget_windows_do_not_grow_above_half),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
