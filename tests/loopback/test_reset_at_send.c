/* SPDX-License-Identifier: MIT */
/*
 * RESET_STREAM_AT of the server (draft-ietf-webtrans-http3-16, section 4.4): a stream that the server resets, at
 * whatever moment and on whatever network, reaches the client with its header, its code and at least one
 * byte where there was one; and the stream is closed at both ends. Clients that did not announce the frame
 * never get it.
 */
#include "pair.h"
#include "quic/endpoint_state.h"
#include "wire/stream_header.h"
#include "world.h"

#define LATE_FINS 20000
#define CODE(n) wt__error_to_wire((uint32_t)(n))

static void world_with(struct world *w, uint64_t seed, unsigned announced) {
  world_init(w, seed);
  w->options.reset_at = announced;
  world_start(w);
  w->session = server_connect(&w->server, w->peer, "/wt", &w->id);
}

/* The client has what the frame promised: the header of its session, and the bytes behind it. */
static void assert_promise(struct world *w, const struct peer_stream *stream, uint64_t code) {
  assert_non_null(stream);
  assert_true(stream->got_reset_at);
  assert_int_equal(stream->reset_at_code, code);
  size_t header_len = peer_wt_header_len(stream, w->id);
  assert_true(header_len > 0);
  assert_true(stream->reset_at_reliable_size <= stream->reset_at_final_size);
  assert_true(stream->rx_total >= stream->reset_at_reliable_size);
  assert_true(stream->rx_total <= stream->reset_at_final_size);
  assert_true(stream->reset_at_reliable_size >= header_len);
  if (stream->reset_at_final_size > header_len) assert_int_equal(stream->reset_at_reliable_size, header_len + 1);
  assert_false(stream->reset);
}

/* How much is written, and how long the test waits, before the reset. */
static const struct {
  size_t len;
  uint64_t wait_ms;
  bool end;
} moments[] = {{0, 0, false},    {1, 0, false},       {50000, 0, false},  {0, 100, false}, {1, 100, false},
               {5000, 5, false}, {500000, 25, false}, {5000, 100, false}, {5000, 5, true}, {5000, 0, true}};

static void test_reset_at_is_sent_at_every_moment_of_a_stream(void **state) {
  (void)state;
  uint8_t *data = calloc(1, 500000);
  for (int uni = 0; uni < 2; uni++) {
    for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++) {
      struct world w;
      int error = 0;
      size_t written;
      world_with(&w, 1, PEER_RESET_AT);
      struct server_stream *stream = server_open(w.session, uni, &error);
      assert_non_null(stream);
      if (moments[i].len) assert_int_equal(wt_stream_write(stream->stream, data, moments[i].len, &written), 0);
      if (moments[i].wait_ms) net_run_for(&w.net, moments[i].wait_ms);
      if (moments[i].end) assert_int_equal(wt_stream_end(stream->stream), 0);
      assert_int_equal(wt_stream_reset(stream->stream, 42), 0);
      int64_t id = stream->id;
      if (!uni) {
        NET_UNTIL(&w.net, 2000, peer_stream(w.peer, id) && peer_stream(w.peer, id)->rx_total);
        peer_send(w.peer, id, NULL, 0, true);
      }
      NET_UNTIL(&w.net, 5000, stream->closes == 1 && peer_stream(w.peer, id) && peer_stream(w.peer, id)->closed);
      assert_promise(&w, peer_stream(w.peer, id), CODE(42));
      assert_int_equal(stream->close_error.by, WT_LOCAL);
      assert_int_equal(stream->close_error.code, 42);
      assert_false(w.peer->ended);
      world_free(&w);
    }
  }
  free(data);
}

/* The server's side of the client's stream has no header of ours: a RESET_STREAM will do. */
static void test_reset_at_is_not_needed_on_streams_of_the_client(void **state) {
  (void)state;
  struct world w;
  world_with(&w, 1, PEER_RESET_AT);
  int64_t id = peer_wt_open(w.peer, false, w.id, "abc", 3, true);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 0));
  assert_int_equal(wt_stream_reset(server_stream(w.session, 0)->stream, 5), 0);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->reset);
  assert_int_equal(peer_stream(w.peer, id)->reset_code, CODE(5));
  assert_int_equal(w.peer->reset_at_frames, 0);
  world_free(&w);
}

static void test_reset_at_is_sent_for_either_number_of_the_parameter(void **state) {
  (void)state;
  for (unsigned announced = 1; announced <= 3; announced++) {
    struct world w;
    int error = 0;
    world_with(&w, 1, announced);
    struct server_stream *stream = server_open(w.session, true, &error);
    assert_int_equal(wt_stream_reset(stream->stream, 1), 0);
    NET_UNTIL(&w.net, 1000, w.peer->reset_at_frames == 1);
    NET_UNTIL(&w.net, 1000, stream->closes == 1);
    world_free(&w);
  }
}

/* It did not announce the frame, or it takes no DATAGRAM frames in which it could be carried: RESET_STREAM then,
 * once the header is acknowledged. */
static void test_reset_at_is_never_sent_to_a_client_without_it(void **state) {
  (void)state;
  for (int no_datagrams = 0; no_datagrams < 2; no_datagrams++) {
    struct world w;
    world_init(&w, 1);
    w.options.reset_at = no_datagrams ? PEER_RESET_AT | PEER_RESET_AT_DRAFT : 0;
    if (no_datagrams) w.options.max_datagram_frame_size = 40; /* too small for a carrier */
    world_start(&w);
    w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
    for (int i = 0; i < 300; i++) {
      int error = 0;
      size_t written;
      struct server_stream *stream = server_open(w.session, true, &error);
      if (!stream) {
        net_run_for(&w.net, 50);
        stream = server_open(w.session, true, &error);
      }
      assert_non_null(stream);
      assert_int_equal(wt_stream_write(stream->stream, "abc", 3, &written), 0);
      assert_int_equal(wt_stream_reset(stream->stream, (uint32_t)i), 0);
    }
    net_run_for(&w.net, 1000);
    assert_int_equal(w.peer->reset_at_frames, 0);
    size_t seen = 0;
    for (const struct server_stream *stream = w.server.streams; stream; stream = stream->next, seen++) {
      const struct peer_stream *there = peer_stream(w.peer, stream->id);
      assert_true(there->reset);
      assert_int_equal(there->reset_code, CODE(stream->close_error.code));
      assert_int_equal(stream->closes, 1);
      assert_true(peer_wt_header_len(there, w.id) > 0);
    }
    assert_int_equal(seen, 300);
    world_free(&w);
  }
}

/* Both at once: what the server said first counts, the code does not change. */
static void test_reset_at_and_stop_sending_cross(void **state) {
  (void)state;
  struct world w;
  int error = 0;
  size_t written;
  world_with(&w, 1, PEER_RESET_AT);
  struct server_stream *stream = server_open(w.session, true, &error);
  assert_int_equal(wt_stream_write(stream->stream, "abc", 3, &written), 0);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, stream->id) && peer_stream(w.peer, stream->id)->rx_total);
  peer_stop_sending(w.peer, stream->id, CODE(7));
  assert_int_equal(wt_stream_reset(stream->stream, 42), 0);
  NET_UNTIL(&w.net, 2000, stream->closes == 1 && peer_stream(w.peer, stream->id)->closed);
  const struct peer_stream *there = peer_stream(w.peer, stream->id);
  assert_true(there->got_reset_at);
  assert_int_equal(there->reset_at_code, CODE(42));
  assert_false(there->reset);
  assert_int_equal(stream->stops, 0);
  assert_int_equal(stream->close_error.by, WT_LOCAL);
  world_free(&w);
}

static void test_reset_at_goes_out_when_the_session_ends(void **state) {
  (void)state;
  struct world w;
  int error = 0;
  world_with(&w, 1, PEER_RESET_AT);
  struct server_stream *stream = server_open(w.session, true, &error);
  int64_t id = stream->id;
  net_run_for(&w.net, 100);
  assert_int_equal(wt_session_close(w.session->session, 3, "bye", 3), 0);
  NET_UNTIL(&w.net, 5000, peer_stream(w.peer, id)->closed);
  assert_promise(&w, peer_stream(w.peer, id), WT__WT_SESSION_GONE);
  world_free(&w);
}

/* --- Many --- */

static void send_many(uint64_t seed, size_t count, unsigned loss) {
  struct world w;
  size_t made = 0, closed = 0;
  static const uint8_t data[3000];
  world_with(&w, seed, PEER_RESET_AT);
  for (int i = 0; i < 2; i++) {
    w.net.link[i].loss = loss;
    w.net.link[i].duplicate = 50;
    w.net.link[i].reorder = 300;
    w.net.link[i].reorder_by = 15 * NET_MS;
  }
  while (made < count) {
    int error = 0;
    size_t written;
    bool uni = made % 3 != 0;
    struct server_stream *stream = server_open(w.session, uni, &error);
    if (!stream) {
      net_run_for(&w.net, 20);
      continue;
    }
    size_t len = net_random(&w.net) % 4 ? net_random(&w.net) % 10 : net_random(&w.net) % sizeof(data);
    if (len) assert_int_equal(wt_stream_write(stream->stream, data, len, &written), 0);
    if (net_random(&w.net) % 4 == 0) net_run_for(&w.net, net_random(&w.net) % 5);
    if (stream->stream) assert_int_equal(wt_stream_reset(stream->stream, (uint32_t)stream->id), 0);
    made++;
    for (size_t i = 0; i < w.peer->streams[1].len; i++) { /* the client's side of bidirectional ones */
      struct peer_stream *there = w.peer->streams[1].items[i];
      if (there && there->rx_total && !there->tx_fin) peer_queue(w.peer, there->id, NULL, 0, true);
    }
  }
  for (int i = 0; i < 300 && closed < count; i++) {
    net_run_for(&w.net, 100);
    for (size_t k = 0; k < w.peer->streams[1].len; k++) {
      struct peer_stream *there = w.peer->streams[1].items[k];
      if (there && there->rx_total && !there->tx_fin) peer_send(w.peer, there->id, NULL, 0, true);
    }
    closed = 0;
    for (const struct server_stream *stream = w.server.streams; stream; stream = stream->next)
      closed += stream->closes == 1;
  }
  assert_int_equal(closed, count);
  net_run_for(&w.net, 1000);
  assert_false(w.peer->ended);
  for (const struct server_stream *stream = w.server.streams; stream; stream = stream->next) {
    assert_promise(&w, peer_stream(w.peer, stream->id), CODE(stream->id));
    assert_true(peer_stream(w.peer, stream->id)->closed);
  }
  assert_int_equal(w.peer->reset_at_streams, count);
  print_message("seed %llu: %zu resets in %llu frames, %u per mille loss: all arrived\n", (unsigned long long)seed,
                count, (unsigned long long)w.peer->reset_at_frames, loss);
  world_free(&w);
}

/* ngtcp2 (1.22) ends a connection after 10,000 frames that change nothing. Those that follow a reset must not be among them. */
static void test_reset_at_tens_of_thousands_in_a_second(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  pair_connect(&p);
  NET_UNTIL(&p.net, 5000, p.link->ready);
  p.client.records.forget = p.server.forget = true;
  struct server_session *session = session_opposite(&p.server, client_session(&p.client, p.link, "/wt"));
  for (unsigned i = 0; i < LATE_FINS;) {
    int error = 0;
    struct server_stream *stream = server_open(session, true, &error);
    if (stream) {
      assert_int_equal(wt_stream_reset(stream->stream, 1), 0);
      i++;
    } else {
      net_run_for(&p.net, 5);
    }
    assert_int_equal(p.server.endpoint->stats.connections_open, 1);
  }
  net_run_for(&p.net, 1000);
  assert_int_equal(p.server.endpoint->stats.connections_open, 1);
  pair_free(&p);
}

static void test_reset_at_thousands_arrive_on_a_bad_network(void **state) {
  (void)state;
  send_many(1, 2000, 0);
  for (uint64_t seed = 2; seed < 6; seed++) send_many(seed, 1000, 50);
  send_many(6, 500, 200);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reset_at_is_sent_at_every_moment_of_a_stream),
      cmocka_unit_test(test_reset_at_is_not_needed_on_streams_of_the_client),
      cmocka_unit_test(test_reset_at_is_sent_for_either_number_of_the_parameter),
      cmocka_unit_test(test_reset_at_is_never_sent_to_a_client_without_it),
      cmocka_unit_test(test_reset_at_and_stop_sending_cross),
      cmocka_unit_test(test_reset_at_goes_out_when_the_session_ends),
      cmocka_unit_test(test_reset_at_tens_of_thousands_in_a_second),
      cmocka_unit_test(test_reset_at_thousands_arrive_on_a_bad_network),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
