/* SPDX-License-Identifier: MIT */
/*
 * Memory that stays full (quic/evict.c): after some seconds those who hold most are closed until newcomers are served,
 * whether they left gaps, are not read, or do not read. Those who hold little never suffer, and nobody is closed where
 * that would not help.
 */
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "world.h"

#define KIB 1024
#define MAX (8 * 1024 * KIB)
#define HOGS 64
#define REFUSED 2 /* CONNECTION_REFUSED */

struct crowd {
  struct world world; /* its peer has a session at /echo */
  struct peer *hogs[HOGS];
  int64_t ids[HOGS];
  size_t count;
};

static struct wt__endpoint_stats stats_of(const struct crowd *c) {
  struct wt__endpoint_stats stats;
  wt__endpoint_get_stats(c->world.server.endpoint, &stats);
  return stats;
}

static bool is_full(const struct crowd *c) {
  return atomic_load(&c->world.server.shared.budget.pressure) == WT__PRESSURE_FULL;
}

/* Streams of sessions at /wt are not read. */
static void hook(struct server *server, enum server_event event, struct server_session *session,
                 struct server_stream *stream) {
  (void)server;
  if (event == SERVER_STREAM && strcmp(session->path, "/wt") == 0) wt_stream_pause(stream->stream);
}

static void crowd_init(struct crowd *c, size_t max) {
  struct world *w = &c->world;
  memset(c, 0, sizeof(*c));
  world_init(w, 1);
  w->server.hook = hook;
  w->server.config.max_memory = max;
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

static void crowd_join(struct crowd *c) {
  assert_true(c->count < HOGS);
  struct peer *peer = crowd_peer(c, 2 + (unsigned)c->count);
  assert_false(peer->ended);
  server_connect(&c->world.server, peer, "/wt", &c->ids[c->count]);
  c->hogs[c->count++] = peer;
}

static void run_until_full(struct crowd *c, uint64_t ms) {
  uint64_t until = c->world.net.now + ms * NET_MS;
  while (!is_full(c) && net_step(&c->world.net, until)) continue;
}

/* All the connections send a PING every second, as those do who want to stay. */
static void crowd_run(struct crowd *c, unsigned seconds) {
  for (unsigned i = 0; i < seconds; i++) {
    for (size_t k = 0; k < c->count; k++) {
      if (!c->hogs[k]->ended) peer_ping(c->hogs[k]);
    }
    peer_ping(c->world.peer);
    net_run_for(&c->world.net, 1000);
  }
}

static size_t crowd_alive(const struct crowd *c) {
  size_t alive = 0;
  for (size_t i = 0; i < c->count; i++) alive += !c->hogs[i]->ended;
  return alive;
}

static void crowd_free(struct crowd *c) {
  for (size_t i = 0; i < c->count; i++) {
    if (c->hogs[i]->ended) {
      assert_true(c->hogs[i]->close_received && c->hogs[i]->close_is_app);
      assert_int_equal(c->hogs[i]->close_code, WT__H3_EXCESSIVE_LOAD);
    }
    peer_close(c->hogs[i], WT__H3_NO_ERROR);
  }
  peer_close(c->world.peer, WT__H3_NO_ERROR);
  net_run_for(&c->world.net, 5000);
  for (size_t i = 0; i < c->count; i++) peer_free(c->hogs[i]);
  assert_int_equal(atomic_load(&c->world.server.shared.budget.over), 0);
  world_free(&c->world);
}

/* Whether a new connection gets a session. */
static bool newcomer_is_served(struct crowd *c) {
  int64_t id;
  struct peer *peer = crowd_peer(c, 200);
  bool served = !peer->ended;
  if (served) {
    server_connect(&c->world.server, peer, "/echo", &id);
    peer_close(peer, WT__H3_NO_ERROR);
  } else {
    assert_int_equal(peer->close_code, REFUSED);
  }
  peer_free(peer);
  return served;
}

/* The session that was there before all others echoes. */
static void check_echo(struct crowd *c) {
  struct world *w = &c->world;
  uint8_t *data = pattern_new(5000, 3);
  int64_t id = peer_wt_open(w->peer, false, w->id, data, 5000, true);
  free(data);
  NET_UNTIL(&w->net, 5000, world_received(w, id, 0, 5000, 3));
}

/* Seconds until a newcomer is served, of at most `seconds`. */
static unsigned seconds_of_refusal(struct crowd *c, unsigned seconds) {
  unsigned waited = 0;
  while (!newcomer_is_served(c)) {
    crowd_run(c, 1);
    if (++waited > seconds) fail_msg("nobody new is served for %u seconds", seconds);
  }
  return waited;
}

/* --- Who holds --- */

/* One byte at offsets 1, 3, 5, ... of 110 streams, until some 3 MiB of memory are held. */
static void hog_gaps(struct crowd *c) {
  int64_t ids[110];
  struct bytes frames = {0};
  crowd_join(c);
  struct peer *peer = c->hogs[c->count - 1];
  const struct wt__conn *conn = WT__CONTAINER_OF(c->world.server.endpoint->conns.head.prev, struct wt__conn, link);
  for (size_t i = 0; i < 110; i++) ids[i] = peer_open_uni(peer);
  for (uint64_t at = 1; conn->blocks.read < 3200 * KIB && !is_full(c); at += 2) {
    for (size_t i = 0; i < 110; i++) {
      bytes_varint(&frames, 0x0e);
      bytes_varint(&frames, (uint64_t)ids[i]);
      bytes_varint(&frames, at);
      bytes_add(&frames, "\x01x", 2);
    }
    peer_queue_frames(peer, frames.data, frames.len);
    peer_flush(peer);
    frames.len = 0;
    net_run_for(&c->world.net, 5);
    assert_false(peer->ended);
  }
  bytes_free(&frames);
}

/* Streams of a session that the application does not read. */
static void hog_unread(struct crowd *c) {
  static uint8_t data[250 * KIB];
  crowd_join(c);
  for (int i = 0; i < 4; i++)
    peer_wt_open(c->hogs[c->count - 1], true, c->ids[c->count - 1], data, sizeof(data), false);
  run_until_full(c, 2000);
}

/* Answers that the peer does not read. */
static void hog_deaf(struct crowd *c) {
  c->world.options.max_stream_data = 2000;
  c->world.options.hold = true;
  crowd_join(c);
  for (int i = 0; i < 20 && !is_full(c); i++)
    http_request(c->hogs[c->count - 1], "GET", "/source?bytes=10000000", NULL, true);
  run_until_full(c, 2000);
  c->world.options.max_stream_data = 1 << 20;
  c->world.options.hold = false;
}

static void check_hogs(void (*hog)(struct crowd *c), const char *what) {
  struct crowd c;
  crowd_init(&c, MAX);
  while (!is_full(&c)) hog(&c);
  assert_int_equal(crowd_alive(&c), c.count);
  assert_false(newcomer_is_served(&c));
  unsigned seconds = seconds_of_refusal(&c, 8);
  print_message("count: %zu connections with %s fill 8 MiB: newcomers are served after %u s, %zu are closed\n", c.count,
                what, seconds, c.count - crowd_alive(&c));
  assert_true(seconds >= 3);
  assert_int_equal(stats_of(&c).memory_closed_connections, c.count - crowd_alive(&c));
  assert_true(crowd_alive(&c) < c.count);
  assert_true(c.count == 1 || crowd_alive(&c) >= c.count / 2); /* no more than has to be */
  check_echo(&c);
  crowd_run(&c, 60);
  assert_true(newcomer_is_served(&c));
  check_echo(&c);
  assert_false(c.world.peer->ended);
  crowd_free(&c);
}

static void test_evict_connections_with_gaps(void **state) {
  (void)state;
  check_hogs(hog_gaps, "gaps");
}

static void test_evict_connections_that_are_not_read(void **state) {
  (void)state;
  check_hogs(hog_unread, "unread streams");
}

static void test_evict_connections_that_do_not_read(void **state) {
  (void)state;
  check_hogs(hog_deaf, "answers that they do not read");
}

/* An echo of 192 KiB needs more than its share, and has to wait. It goes on once somebody else was closed. */
static void test_evict_ends_the_wait_of_others(void **state) {
  struct crowd c;
  (void)state;
  crowd_init(&c, MAX);
  while (!is_full(&c)) hog_unread(&c);
  atomic_fetch_add(&c.world.server.shared.connections, 100); /* share: 74 KiB */
  uint8_t *data = pattern_new(192 * KIB, 9);
  uint64_t begin = c.world.net.now;
  int64_t id = peer_wt_open(c.world.peer, false, c.world.id, data, 192 * KIB, true);
  free(data);
  NET_UNTIL(&c.world.net, 20000, world_received(&c.world, id, 0, 192 * KIB, 9));
  print_message("count: an echo of 192 KiB takes %.1f s when memory is full\n",
                (double)(c.world.net.now - begin) / (double)(1000 * NET_MS));
  assert_false(c.world.peer->ended);
  atomic_fetch_sub(&c.world.server.shared.connections, 100);
  crowd_free(&c);
}

/* Each of 40 holds an equal part of what is full, and so no more than its share of that. */
static void test_evict_some_of_many_that_hold_the_same(void **state) {
  static uint8_t data[120 * KIB];
  struct crowd c;
  (void)state;
  crowd_init(&c, MAX);
  for (int i = 0; i < 40; i++) crowd_join(&c);
  for (size_t at = 0; at < sizeof(data); at += 4000) {
    for (size_t i = 0; i < c.count; i++) {
      if (at == 0) c.ids[i] = peer_wt_open(c.hogs[i], true, c.ids[i], data, 1, false);
      peer_send(c.hogs[i], c.ids[i], data, 4000, false);
    }
    run_until_full(&c, 100);
  }
  run_until_full(&c, 1000);
  assert_true(is_full(&c));
  assert_int_equal(crowd_alive(&c), c.count);
  unsigned seconds = seconds_of_refusal(&c, 8);
  print_message("count: 40 connections hold the same: newcomers are served after %u s, %zu are closed\n", seconds,
                c.count - crowd_alive(&c));
  assert_true(seconds >= 3);
  assert_in_range(crowd_alive(&c), c.count / 2, c.count - 1); /* they go on sending when there is room */
  check_echo(&c);
  crowd_free(&c);
}

/* --- Who comes back, and who stays --- */

/* Those who were closed come back at once: the second time it takes a second. */
static void test_evict_those_who_come_back_sooner(void **state) {
  struct crowd c;
  (void)state;
  crowd_init(&c, MAX);
  while (!is_full(&c)) hog_unread(&c);
  seconds_of_refusal(&c, 8);
  for (int rounds = 0; rounds < 3; rounds++) {
    while (!is_full(&c)) hog_unread(&c);
    uint64_t full_at = c.world.net.now;
    NET_UNTIL(&c.world.net, 3000, !is_full(&c));
    assert_true(c.world.net.now - full_at < 1600 * NET_MS);
    assert_true(newcomer_is_served(&c));
  }
  crowd_free(&c);
}

/* Many connections that hold next to nothing fill the memory: newcomers are refused, and nobody is closed. */
static void test_evict_nobody_within_the_share(void **state) {
  struct crowd c;
  (void)state;
  crowd_init(&c, MAX / 4);
  while (!is_full(&c)) {
    assert_true(c.count < HOGS);
    struct peer *peer = c.hogs[c.count] = crowd_peer(&c, 2 + (unsigned)c.count);
    assert_false(peer->ended);
    c.ids[c.count++] = http_connect(peer, "webtransport", "/wt", NULL, NULL);
    net_run_for(&c.world.net, 100);
  }
  crowd_run(&c, 60);
  assert_true(is_full(&c));
  if (c.hogs[c.count - 1]->ended) peer_free(c.hogs[--c.count]); /* it was too late for a session: nothing to do here */
  assert_int_equal(crowd_alive(&c), c.count);
  assert_int_equal(stats_of(&c).memory_closed_connections, 0);
  assert_false(newcomer_is_served(&c));
  check_echo(&c);
  crowd_free(&c);
}

/* Half-open handshakes of somebody do not make the share of those who are there smaller. */
static void test_evict_half_open_handshakes_do_not_count_for_the_share(void **state) {
  struct crowd c;
  (void)state;
  crowd_init(&c, MAX);
  while (!is_full(&c)) hog_unread(&c);
  size_t share = c.world.server.endpoint->gauge.share;
  atomic_fetch_add(&c.world.server.shared.connections, 1000);
  atomic_fetch_add(&c.world.server.shared.handshakes, 1000);
  net_run_for(&c.world.net, 200);
  peer_ping(c.world.peer);
  net_run_for(&c.world.net, 200);
  assert_int_equal(c.world.server.endpoint->gauge.share, share);
  atomic_fetch_sub(&c.world.server.shared.connections, 1000);
  atomic_fetch_sub(&c.world.server.shared.handshakes, 1000);
  crowd_free(&c);
}

/* --- Another worker --- */

/* It holds so much from now on, and has seen what follows. */
static void other_holds(struct crowd *c, size_t used, size_t over) {
  struct wt__budget *budget = &c->world.server.shared.budget;
  atomic_fetch_add(&budget->used, used);
  atomic_fetch_add(&budget->over, over);
  atomic_store(&budget->full_since, c->world.net.now);
  atomic_store(&budget->pressure, WT__PRESSURE_FULL);
}

static void other_gives_back(struct crowd *c, size_t used, size_t over) {
  atomic_fetch_sub(&c->world.server.shared.budget.used, used);
  atomic_fetch_sub(&c->world.server.shared.budget.over, over);
}

/* What it holds within its shares fills memory by itself: to close ours would not help. Once it is over its share, it
 * helps. */
static void test_evict_only_where_it_helps(void **state) {
  struct crowd c;
  (void)state;
  crowd_init(&c, MAX);
  hog_unread(&c);
  atomic_fetch_add(&c.world.server.shared.connections, 30); /* share: 192 KiB and 16 */
  other_holds(&c, MAX / 4 * 3, 0);
  crowd_run(&c, 20);
  assert_true(is_full(&c));
  assert_int_equal(crowd_alive(&c), 1);
  other_holds(&c, 0, MAX / 2);
  crowd_run(&c, 6);
  assert_int_equal(crowd_alive(&c), 0);
  assert_false(c.world.peer->ended);
  other_gives_back(&c, MAX / 4 * 3, MAX / 2);
  atomic_fetch_sub(&c.world.server.shared.connections, 30);
  crowd_free(&c);
}

/* What answers late packets of closed connections is worth less than a newcomer. */
static void test_evict_what_is_left_of_closed_connections(void **state) {
  struct crowd c;
  (void)state;
  crowd_init(&c, MAX);
  for (int i = 0; i < 10; i++) {
    struct peer *peer = crowd_peer(&c, 100 + (unsigned)i);
    peer_close(peer, WT__H3_NO_ERROR);
    peer_free(peer);
  }
  net_run_for(&c.world.net, 20);
  assert_true(c.world.server.endpoint->ended_len > 0);
  other_holds(&c, MAX / 4 * 3, 0);
  peer_ping(c.world.peer);
  net_run_for(&c.world.net, 20);
  assert_int_equal(c.world.server.endpoint->ended_len, 0);
  assert_false(c.world.peer->ended);
  other_gives_back(&c, MAX / 4 * 3, 0);
  crowd_free(&c);
}

/* A worker that has closed some lets the others look first whether that was enough. */
static void test_evict_one_worker_at_a_time(void **state) {
  struct crowd c;
  (void)state;
  crowd_init(&c, MAX);
  while (!is_full(&c)) hog_unread(&c);
  struct wt__budget *budget = &c.world.server.shared.budget;
  uint64_t until = c.world.net.now + 12000 * NET_MS;
  while (net_step(&c.world.net, until)) atomic_store(&budget->evicted_at, c.world.net.now + 5000 * NET_MS);
  assert_int_equal(crowd_alive(&c), c.count);
  crowd_run(&c, 7);
  assert_true(crowd_alive(&c) < c.count);
  crowd_free(&c);
}

/* A worker to which nothing happens finds out all the same that memory has become full by what others hold. */
static void test_evict_by_a_worker_without_packets(void **state) {
  struct crowd c;
  (void)state;
  memset(&c, 0, sizeof(c));
  world_init(&c.world, 1);
  c.world.server.hook = hook;
  c.world.server.config.max_memory = MAX;
  c.world.server.config.keep_alive_ms = 0;
  c.world.server.config.workers = 2;
  c.world.options.idle_timeout_ms = 0;
  world_start(&c.world);
  c.world.session = server_connect(&c.world.server, c.world.peer, "/echo", &c.world.id);
  hog_unread(&c);
  c.hogs[0]->silent = true;
  c.world.peer->silent = true;
  net_run_for(&c.world.net, 3000);
  atomic_fetch_add(&c.world.server.shared.connections, 30);
  other_holds(&c, MAX / 4 * 3, MAX / 4 * 3);
  net_run_for(&c.world.net, 7500);
  assert_int_equal(stats_of(&c).memory_closed_connections, 1);
  other_gives_back(&c, MAX / 4 * 3, MAX / 4 * 3);
  atomic_fetch_sub(&c.world.server.shared.connections, 30);
  c.hogs[0]->silent = false;
  c.world.peer->silent = false;
  net_run_for(&c.world.net, 1500);
  peer_free(c.hogs[0]);
  c.count = 0;
  crowd_free(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_evict_connections_with_gaps),
      cmocka_unit_test(test_evict_connections_that_are_not_read),
      cmocka_unit_test(test_evict_connections_that_do_not_read),
      cmocka_unit_test(test_evict_some_of_many_that_hold_the_same),
      cmocka_unit_test(test_evict_ends_the_wait_of_others),
      cmocka_unit_test(test_evict_those_who_come_back_sooner),
      cmocka_unit_test(test_evict_nobody_within_the_share),
      cmocka_unit_test(test_evict_half_open_handshakes_do_not_count_for_the_share),
      cmocka_unit_test(test_evict_only_where_it_helps),
      cmocka_unit_test(test_evict_what_is_left_of_closed_connections),
      cmocka_unit_test(test_evict_one_worker_at_a_time),
      cmocka_unit_test(test_evict_by_a_worker_without_packets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
