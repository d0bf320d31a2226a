/* SPDX-License-Identifier: MIT */
/*
 * What a peer's packets may cost in QUIC's memory (quic/read_limit.h): streams full of gaps are bounded by what they
 * cost and not by their bytes, other frames that make memory grow stay below the same bound, and an honest peer on the
 * worst network never comes near it.
 */
#include "base/heap.h"
#include "pair.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/read_limit.h"

#define KIB 1024

/* ngtcp2 loses blocks (see quic/blocks.c): those of the server are found by the count of its memory, those of the peer
 * are not its fault. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libngtcp2"; }

/* --- Frames --- */

static void add_stream(struct bytes *frames, int64_t id, uint64_t offset, const void *data, size_t len) {
  bytes_varint(frames, 0x08 | 0x04 | 0x02);
  bytes_varint(frames, (uint64_t)id);
  bytes_varint(frames, offset);
  bytes_varint(frames, len);
  bytes_add(frames, data, len);
}

/* Sends the frames as one packet if there are many, or if there is nothing to follow. */
static void flush(struct peer *peer, struct bytes *frames, bool last) {
  if (frames->len < PEER_FRAMES_MAX - 40 && !(last && frames->len)) return;
  peer_queue_frames(peer, frames->data, frames->len);
  peer_flush(peer);
  bytes_free(frames);
  *frames = (struct bytes){0};
}

static struct wt__conn *only_conn(struct world *w) {
  struct wt__link *link = wt__list_first(&w->server.endpoint->conns);
  return link ? WT__CONTAINER_OF(link, struct wt__conn, link) : NULL;
}

static size_t limit_of(const struct wt__conn *conn) {
  struct wt__read_use use = {conn->handshake_done, conn->reset_in.streams.len, conn->most_streams, conn->window.size};
  return wt__read_limit(&use);
}

/* Lets time pass, and returns the most that the only connection has held for what was read. */
static size_t most_read(struct world *w, uint64_t ms, double *ratio) {
  uint64_t until = w->net.now + ms * NET_MS;
  size_t most = 0;
  while (net_step(&w->net, until)) {
    const struct wt__conn *conn = only_conn(w);
    if (!conn) continue;
    if (conn->blocks.read > most) most = conn->blocks.read;
    double part = (double)conn->blocks.read / (double)limit_of(conn);
    if (conn->handshake_done && part > *ratio) *ratio = part;
  }
  return most;
}

static void check_closed(const struct world *w) {
  struct wt__endpoint_stats stats;
  assert_true(w->peer->ended && w->peer->close_received && w->peer->close_is_app);
  assert_int_equal(w->peer->close_code, WT__H3_EXCESSIVE_LOAD);
  wt__endpoint_get_stats(w->server.endpoint, &stats);
  assert_int_equal(stats.memory_closed_connections, 1);
  assert_int_equal(stats.connections_open, 0);
  assert_true(stats.memory_used < 64 * KIB); /* what answers late packets */
}

/* --- Streams full of gaps --- */

/* One byte at offsets 1, 3, 5, ... of `streams` streams, as far as the connection's window goes. Returns the most
 * memory that it made. */
static size_t send_gaps(struct world *w, size_t streams, uint64_t window, uint64_t *sent) {
  struct bytes frames = {0};
  int64_t ids[256];
  size_t most = 0;
  double ratio = 0;
  uint64_t bytes_before = only_conn(w)->bytes_received;
  for (size_t i = 0; i < streams; i++) ids[i] = peer_open_uni(w->peer);
  for (uint64_t at = 1; at < window / streams && !w->peer->ended; at += 2) {
    for (size_t i = 0; i < streams; i++) {
      add_stream(&frames, ids[i], at, "x", 1);
      flush(w->peer, &frames, false);
    }
    size_t read = most_read(w, 1, &ratio);
    if (read > most) most = read;
    if (only_conn(w)) *sent = only_conn(w)->bytes_received - bytes_before;
  }
  flush(w->peer, &frames, true);
  size_t read = most_read(w, 500, &ratio);
  bytes_free(&frames);
  return read > most ? read : most;
}

static void test_gaps_of_many_streams_are_bounded_by_their_cost(void **state) {
  struct world w;
  uint64_t sent = 0;
  (void)state;
  world_session(&w, "/wt");
  size_t most = send_gaps(&w, 110, 1 << 20, &sent);
  print_message("count: gaps in 110 streams made QUIC hold %zu KiB for %llu KiB sent\n", most / KIB,
                (unsigned long long)sent / KIB);
  assert_true(most < 5 * KIB * KIB);
  check_closed(&w);
  world_free(&w);
}

static void test_gaps_of_one_stream_are_bounded_by_their_cost(void **state) {
  struct world w;
  uint64_t sent = 0;
  (void)state;
  world_init(&w, 1);
  w.server.config.initial_max_stream_data = 1 << 20;
  world_start(&w);
  size_t most = send_gaps(&w, 8, 1 << 20, &sent);
  print_message("count: gaps in 8 streams made QUIC hold %zu KiB for %llu KiB sent\n", most / KIB,
                (unsigned long long)sent / KIB);
  assert_true(most < 4 * KIB * KIB);
  check_closed(&w);
  world_free(&w);
}

/* Two bytes behind a gap in each stream look like a bad network: the bound allows it. No more than an eighth of a
 * megabyte of streams can have them on the border of two of QUIC's pieces: the window is used up then. */
static void test_gaps_in_all_streams_are_allowed(void **state) {
  struct world w;
  struct bytes frames = {0};
  double ratio = 0;
  (void)state;
  world_session(&w, "/wt");
  for (int i = 0; i < 500; i++) {
    int64_t id = i % 2 ? peer_open_uni(w.peer) : peer_open_bidi(w.peer);
    add_stream(&frames, id, i % 4 ? 1 : 8191, "xy", 2);
    flush(w.peer, &frames, i == 499);
  }
  size_t most = most_read(&w, 500, &ratio);
  print_message("count: two bytes behind a gap in 500 streams made QUIC hold %zu KiB, %.0f %% of the bound\n",
                most / KIB, ratio * 100);
  bytes_free(&frames);
  assert_false(w.peer->ended);
  assert_true(ratio > 0.5);
  world_free(&w);
}

/* A client has the same bound against servers. Ours leaves no gaps, so the count is made to say that it did. */
static void test_gaps_of_a_server_are_bounded_too(void **state) {
  struct pair p;
  (void)state;
  pair_ready(&p);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  assert_non_null(session);
  struct wt__conn *conn = WT__CONTAINER_OF(wt__list_first(&p.client.endpoint->conns), struct wt__conn, link);
  conn->blocks.read += 64 * KIB * KIB;
  assert_int_equal(wt_session_send_datagram(server_session(&p.server, 0)->session, "x", 1), 0);
  NET_UNTIL(&p.net, 1000, p.link->ends == 1);
  assert_true(p.link->end.is_h3);
  assert_int_equal(p.link->end.error, WT_ERR_PROTOCOL);
  assert_string_equal(p.link->end.reason, "too much memory for data with gaps");
  NET_UNTIL(&p.net, 1000, server_session(&p.server, 0)->closes == 1);
  pair_free(&p);
}

/* --- Honest peers --- */

static void bad_network(struct world *w) {
  w->net.link[NET_TO_SERVER].loss = 300;
  w->net.link[NET_TO_CLIENT].loss = 100;
  w->net.link[NET_TO_SERVER].reorder = 300;
  w->net.link[NET_TO_SERVER].reorder_by = 60 * NET_MS;
  w->net.link[NET_TO_SERVER].delay = w->net.link[NET_TO_CLIENT].delay = 50 * NET_MS;
}

static void large_windows(struct world *w) {
  w->server.frugal = w->server.forget = true;
  w->server.config.initial_max_data = 16 << 20;
  w->server.config.initial_max_stream_data = 6 << 20;
  w->server.config.h3.mux.flow.initial.data = 16 << 20;
  w->server.config.h3.mux.flow.initial.streams[WT_UNIDIRECTIONAL] = 256;
}

static size_t streams_left(const struct world *w) {
  size_t left = 0;
  for (const struct server_stream *stream = w->server.streams; stream; stream = stream->next) left++;
  return left;
}

/* Thousands of streams, each with a few messages of a byte, of which each may travel in a packet of its own. */
static void test_gaps_of_small_streams_on_a_bad_network(void **state) {
  struct world w;
  int64_t open[200];
  size_t opened = 0, most = 0, live = 0;
  double ratio = 0;
  (void)state;
  world_init(&w, 7);
  w.server.frugal = w.server.forget = true;
  w.server.config.h3.mux.flow.initial.streams[WT_UNIDIRECTIONAL] = 256;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  bad_network(&w);
  for (unsigned turn = 0; opened < 4000; turn++) {
    size_t kept = 0;
    for (size_t i = 0; i < live; i++) {
      bool fin = (turn + i) % 5 == 0;
      peer_queue(w.peer, open[i], "x", 1, fin);
      if (!fin) open[kept++] = open[i];
    }
    live = kept;
    for (int64_t id; live < 200 && (id = peer_open_uni(w.peer)) >= 0; opened++) {
      struct bytes head = {0};
      bytes_varint(&head, 0x54);
      bytes_varint(&head, (uint64_t)w.id);
      peer_queue(w.peer, id, head.data, head.len, false);
      bytes_free(&head);
      open[live++] = id;
    }
    peer_flush(w.peer);
    size_t read = most_read(&w, 5, &ratio);
    if (read > most) most = read;
    assert_false(w.peer->ended);
  }
  for (size_t i = 0; i < live; i++) peer_queue(w.peer, open[i], "x", 1, true);
  w.net.link[NET_TO_SERVER].loss = 0;
  peer_flush(w.peer);
  NET_UNTIL(&w.net, 60000, streams_left(&w) == 0);
  print_message("count: %zu streams of single bytes, 30 %% lost, a third reordered: %zu KiB, %.0f %% of the bound\n",
                opened, most / KIB, ratio * 100);
  assert_false(w.peer->ended);
  assert_true(ratio < 0.8);
  world_free(&w);
}

/* A window of 16 MiB is in flight when every second packet is lost: no network makes more gaps. */
static void test_gaps_of_every_second_packet_of_a_large_window(void **state) {
  struct world w;
  static const uint8_t data[1000];
  struct bytes frames = {0};
  int64_t ids[10];
  double ratio = 0;
  size_t most = 0;
  (void)state;
  world_init(&w, 8);
  large_windows(&w);
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  for (int i = 0; i < 10; i++) ids[i] = peer_open_uni(w.peer);
  for (uint64_t at = 1000; at < 1660000; at += 2000) {
    for (int i = 0; i < 10; i++) {
      add_stream(&frames, ids[i], at, data, sizeof(data));
      flush(w.peer, &frames, true);
    }
    size_t read = most_read(&w, 5, &ratio);
    if (read > most) most = read;
  }
  size_t read = most_read(&w, 1000, &ratio);
  if (read > most) most = read;
  print_message("count: 16 MiB of which every second packet is missing: %zu KiB, %.0f %% of the bound\n", most / KIB,
                ratio * 100);
  assert_false(w.peer->ended);
  assert_true(most > 15 * KIB * KIB); /* else the test has not done what it says */
  assert_true(ratio < 0.9);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gaps_of_many_streams_are_bounded_by_their_cost),
      cmocka_unit_test(test_gaps_of_one_stream_are_bounded_by_their_cost),
      cmocka_unit_test(test_gaps_in_all_streams_are_allowed),
      cmocka_unit_test(test_gaps_of_a_server_are_bounded_too),
      cmocka_unit_test(test_gaps_of_small_streams_on_a_bad_network),
      cmocka_unit_test(test_gaps_of_every_second_packet_of_a_large_window),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
