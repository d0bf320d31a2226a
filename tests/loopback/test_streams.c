/* SPDX-License-Identifier: MIT */
/*
 * Streams (draft-ietf-webtrans-http3-16, sections 4.2 to 4.4): reset and stop-sending with their codes,
 * backpressure in both directions, bounds, owned memory, limits, and credit that comes back.
 */
#include "wire/stream_header.h"
#include "world.h"

static const struct {
  uint64_t wire;
  bool has_code;
  uint32_t code;
} codes[] = {
    {UINT64_C(0x52e4a40fa8db), true, 0},
    {UINT64_C(0x52e4a40fa8db) + 42 + 1, true, 42},
    {UINT64_C(0x52e4a40fa8db) + 127 + 4, true, 127},
    {UINT64_C(0x52e5ac983162), true, 0xffffffff},
    {0x10c, false, 0},
    {UINT64_C(0x52e4a40fa8db) + 0x1e, false, 0}, /* a reserved codepoint inside the range */
    {UINT64_C(0x52e5ac983163), false, 0},
};
#define CODES (sizeof(codes) / sizeof(*codes))

/* --- Reset and stop-sending --- */

static void test_streams_reset_of_client_arrives_with_its_code(void **state) {
  (void)state;
  for (int uni = 0; uni < 2; uni++) {
    struct world w;
    world_session(&w, "/wt");
    for (size_t i = 0; i < CODES; i++) {
      int64_t id = peer_wt_open(w.peer, uni, w.id, "abc", 3, false);
      NET_UNTIL(&w.net, 1000, server_stream(w.session, i) && server_stream(w.session, i)->rx_total == 3);
      struct server_stream *stream = server_stream(w.session, i);
      peer_reset(w.peer, id, codes[i].wire);
      NET_UNTIL(&w.net, 1000, stream->resets == 1);
      assert_int_equal(stream->reset_error.by, WT_PEER);
      assert_int_equal(stream->reset_error.has_code, codes[i].has_code);
      assert_int_equal(stream->reset_error.wire_code, codes[i].wire);
      assert_false(stream->reset_error.session_gone);
      if (codes[i].has_code) assert_int_equal(stream->reset_error.code, codes[i].code);
      if (!uni) {
        /* The other direction lives on. */
        size_t written = 0;
        assert_int_equal(stream->closes, 0);
        assert_int_equal(wt_stream_write(stream->stream, "back", 4, &written), 0);
        assert_int_equal(wt_stream_end(stream->stream), 0);
        NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
        assert_int_equal(peer_stream(w.peer, id)->rx_len, 4);
      }
      NET_UNTIL(&w.net, 1000, stream->closes == 1);
      assert_false(stream->closed_in_order);
      assert_int_equal(stream->close_error.by, WT_PEER);
      assert_int_equal(stream->close_error.has_code, codes[i].has_code);
    }
    world_free(&w);
  }
}

static void test_streams_stop_sending_of_client_arrives_with_its_code(void **state) {
  (void)state;
  for (int uni = 0; uni < 2; uni++) {
    struct world w;
    world_session(&w, "/wt");
    for (size_t i = 0; i < CODES; i++) {
      int error = 0;
      struct server_stream *stream = server_open(w.session, uni, &error);
      assert_non_null(stream);
      NET_UNTIL(&w.net, 1000, peer_wt_header_len(peer_stream(w.peer, stream->id), w.id) > 0);
      peer_stop_sending(w.peer, stream->id, codes[i].wire);
      NET_UNTIL(&w.net, 1000, stream->stops == 1);
      assert_int_equal(stream->stop_error.by, WT_PEER);
      assert_int_equal(stream->stop_error.has_code, codes[i].has_code);
      assert_int_equal(stream->stop_error.wire_code, codes[i].wire);
      if (codes[i].has_code) assert_int_equal(stream->stop_error.code, codes[i].code);
      if (uni) {
        NET_UNTIL(&w.net, 1000, stream->closes == 1);
        continue;
      }
      size_t written = 1;
      assert_int_equal(stream->closes, 0);
      assert_int_equal(wt_stream_write(stream->stream, "x", 1, &written), WT_ERR_CLOSED);
      peer_send(w.peer, stream->id, "up", 2, true); /* the other direction lives on */
      NET_UNTIL(&w.net, 1000, stream->fin && stream->rx_total == 2);
      NET_UNTIL(&w.net, 1000, stream->closes == 1);
    }
    world_free(&w);
  }
}

static void test_streams_reset_and_stop_of_server_carry_their_code(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  size_t index = 0;
  for (size_t i = 0; i < CODES; i++) {
    if (!codes[i].has_code) continue;
    int64_t id = peer_wt_open(w.peer, false, w.id, "abc", 3, false);
    NET_UNTIL(&w.net, 1000, server_stream(w.session, index));
    struct server_stream *stream = server_stream(w.session, index++);
    assert_int_equal(wt_stream_stop_sending(stream->stream, codes[i].code), 0);
    assert_int_equal(wt_stream_reset(stream->stream, codes[i].code), 0);
    assert_int_equal(wt_stream_reset(stream->stream, 5), 0); /* a second one does nothing */
    size_t written;
    assert_int_equal(wt_stream_write(stream->stream, "x", 1, &written), WT_ERR_CLOSED);
    assert_int_equal(wt_stream_end(stream->stream), WT_ERR_CLOSED);
    NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->stopped && peer_stream(w.peer, id)->reset);
    assert_int_equal(peer_stream(w.peer, id)->stop_code, codes[i].wire);
    assert_int_equal(peer_stream(w.peer, id)->reset_code, codes[i].wire);
    NET_UNTIL(&w.net, 1000, stream->closes == 1);
    assert_false(stream->closed_in_order);
    assert_int_equal(stream->close_error.by, WT_LOCAL);
    assert_true(stream->close_error.has_code);
    assert_int_equal(stream->close_error.code, codes[i].code);
  }
  world_free(&w);
}

static void test_streams_no_data_after_stop_sending_of_server(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  int64_t id = peer_wt_open(w.peer, true, w.id, "abc", 3, false);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 0) && server_stream(w.session, 0)->rx_total == 3);
  struct server_stream *stream = server_stream(w.session, 0);
  assert_int_equal(wt_stream_stop_sending(stream->stream, 8), 0);
  peer_send(w.peer, id, "def", 3, false); /* on its way before the peer knows */
  NET_UNTIL(&w.net, 1000, stream->closes == 1);
  assert_int_equal(stream->rx_total, 3);
  assert_int_equal(peer_stream(w.peer, id)->stop_code, wt__error_to_wire(8));
  world_free(&w);
}

static void test_streams_wrong_direction_is_a_state_error(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  int error = 0;
  size_t written;
  peer_wt_open(w.peer, true, w.id, "abc", 3, false);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 0));
  wt_stream *theirs = server_stream(w.session, 0)->stream;
  wt_stream *ours = server_open(w.session, true, &error)->stream;
  assert_int_equal(wt_stream_write(theirs, "x", 1, &written), WT_ERR_STATE);
  assert_int_equal(wt_stream_end(theirs), WT_ERR_STATE);
  assert_int_equal(wt_stream_reset(theirs, 1), WT_ERR_STATE);
  assert_int_equal(wt_stream_writable(theirs), 0);
  assert_int_equal(wt_stream_stop_sending(ours, 1), WT_ERR_STATE);
  assert_int_equal(wt_stream_end(ours), 0);
  assert_int_equal(wt_stream_write(ours, "x", 1, &written), WT_ERR_STATE);
  assert_int_equal(wt_stream_end(ours), WT_ERR_STATE);
  world_free(&w);
}

/* Section 4.4: the header still has to arrive, or the peer does not know whose stream it was. */
static void test_streams_early_reset_of_server_still_delivers_the_header(void **state) {
  (void)state;
  for (int lossy = 0; lossy < 2; lossy++) {
    for (int uni = 0; uni < 2; uni++) {
      struct world w;
      world_session(&w, "/wt");
      int error = 0;
      if (lossy) w.net.link[NET_TO_CLIENT].loss = 1000;
      struct server_stream *stream = server_open(w.session, uni, &error);
      size_t written;
      assert_int_equal(wt_stream_write(stream->stream, "some bytes", 10, &written), 0);
      assert_int_equal(wt_stream_reset(stream->stream, 42), 0);
      int64_t id = stream->id;
      net_run_for(&w.net, 30);
      w.net.link[NET_TO_CLIENT].loss = 0;
      NET_UNTIL(&w.net, 5000, peer_stream(w.peer, id) && peer_stream(w.peer, id)->reset);
      assert_true(peer_wt_header_len(peer_stream(w.peer, id), w.id) > 0);
      assert_int_equal(peer_stream(w.peer, id)->reset_code, wt__error_to_wire(42));
      if (!uni) peer_send(w.peer, id, NULL, 0, true);
      NET_UNTIL(&w.net, 5000, stream->closes == 1);
      world_free(&w);
    }
  }
}

static void test_streams_stop_and_reset_in_one_packet(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  for (size_t i = 0; i < 20; i++) {
    int64_t id = peer_wt_open(w.peer, false, w.id, "abc", 3, false);
    NET_UNTIL(&w.net, 1000, server_stream(w.session, i));
    ngtcp2_conn_shutdown_stream(w.peer->conn, 0, id, wt__error_to_wire(6));
    peer_flush(w.peer);
    NET_UNTIL(&w.net, 1000, server_stream(w.session, i)->closes == 1);
  }
  assert_false(w.peer->ended);
  world_free(&w);
}

/* --- Backpressure --- */

static void hook_pause(struct server *server, enum server_event event, struct server_session *session,
                       struct server_stream *stream) {
  (void)server;
  (void)session;
  if (event == SERVER_STREAM) wt_stream_pause(stream->stream);
}

static void test_streams_pause_holds_the_client_back(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.hook = hook_pause;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  const size_t len = 3 << 20;
  uint8_t *data = pattern_new(len, 11);
  int64_t id = peer_wt_open(w.peer, false, w.id, data, len, true);
  free(data);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 0));
  struct server_stream *stream = server_stream(w.session, 0);
  net_run_for(&w.net, 5000);
  assert_int_equal(stream->rx_total, 0);
  assert_true(peer_stream(w.peer, id)->tx_sent <= w.server.config.initial_max_stream_data);
  /* Others are not held up by it. */
  int64_t get = http_request(w.peer, "GET", "/hello", NULL, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, get)->fin);
  wt_stream_resume(stream->stream);
  assert_int_equal(stream->rx_total, 0); /* not from inside the call */
  NET_UNTIL(&w.net, 10000, stream->fin);
  assert_int_equal(stream->rx_total, len);
  assert_true(pattern_matches(stream->rx.data, len, 0, 11));
  world_free(&w);
}

static void hook_pause_each(struct server *server, enum server_event event, struct server_session *session,
                            struct server_stream *stream) {
  (void)server;
  (void)session;
  if (event == SERVER_DATA && !stream->fin) wt_stream_pause(stream->stream);
}

static void test_streams_pause_in_on_data_stops_at_once(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.hook = hook_pause_each;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  uint8_t *data = pattern_new(100000, 12);
  peer_wt_open(w.peer, true, w.id, data, 100000, true);
  free(data);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 0) && server_stream(w.session, 0)->rx_total > 0);
  struct server_stream *stream = server_stream(w.session, 0);
  unsigned rounds = 0;
  while (!stream->fin && rounds++ < 10000) {
    uint64_t before = stream->rx_total;
    net_run_for(&w.net, 30);
    assert_int_equal(stream->rx_total, before);
    wt_stream_resume(stream->stream);
    NET_UNTIL(&w.net, 1000, stream->rx_total > before || stream->fin);
  }
  assert_int_equal(stream->rx_total, 100000);
  assert_true(pattern_matches(stream->rx.data, 100000, 0, 12));
  world_free(&w);
}

static void test_streams_without_callbacks_wait(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.no_stream_callbacks = true;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  const size_t len = 1 << 20;
  uint8_t *data = pattern_new(len, 13);
  int64_t id = peer_wt_open(w.peer, true, w.id, data, len, true);
  free(data);
  NET_UNTIL(&w.net, 1000, w.session->streams == 1);
  net_run_for(&w.net, 3000);
  assert_true(peer_stream(w.peer, id)->tx_sent <= w.server.config.initial_max_stream_data);
  peer_reset(w.peer, id, wt__error_to_wire(0));
  net_run_for(&w.net, 1000);
  world_free(&w);
}

static void test_streams_writes_are_bounded_and_writable_follows(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.options.hold = true;
  w.options.max_stream_data = 16384;
  w.server.config.h3.mux.max_stream_send_buffer = 65536;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  int error = 0;
  struct server_stream *stream = server_open(w.session, false, &error);
  const size_t len = 300000;
  uint8_t *data = pattern_new(len, 14);
  size_t sent = 0, written = 0;
  assert_int_equal(wt_stream_write(stream->stream, data, len, &written), 0);
  assert_in_range(written, 1, 65536);
  sent += written;
  assert_int_equal(wt_stream_writable(stream->stream), 0);
  net_run_for(&w.net, 500);
  assert_int_equal(stream->writables, 0); /* acknowledged, but not half of the bound */
  unsigned rounds = 0;
  while (sent < len && rounds++ < 1000) {
    unsigned before = stream->writables;
    for (int i = 0; i < 100 && stream->writables == before; i++) {
      peer_consume(w.peer, stream->id);
      net_run_for(&w.net, 30);
    }
    assert_int_equal(stream->writables, before + 1);
    size_t room = wt_stream_writable(stream->stream);
    assert_int_equal(wt_stream_write(stream->stream, data + sent, len - sent, &written), 0);
    assert_int_equal(written, len - sent < room ? len - sent : room);
    sent += written;
  }
  assert_int_equal(wt_stream_end(stream->stream), 0);
  for (int i = 0; i < 100 && !peer_stream(w.peer, stream->id)->fin; i++) {
    peer_consume(w.peer, stream->id);
    net_run_for(&w.net, 30);
  }
  struct peer_stream *seen = peer_stream(w.peer, stream->id);
  assert_true(world_received(&w, stream->id, peer_wt_header_len(seen, w.id), len, 14));
  free(data);
  world_free(&w);
}

static void test_streams_large_echo_under_backpressure(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.h3.mux.max_stream_send_buffer = 32768;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
  const size_t len = 2 << 20;
  uint8_t *data = pattern_new(len, 15);
  int64_t id = peer_wt_open(w.peer, false, w.id, data, len, true);
  free(data);
  NET_UNTIL(&w.net, 30000, world_received(&w, id, 0, len, 15));
  assert_true(server_stream(w.session, 0)->writables > 0);
  world_free(&w);
}

/* --- Owned memory --- */

struct owned {
  uint8_t *data;
  size_t len;
  unsigned releases;
};

static void owned_release(const uint8_t *data, size_t len, void *user_data) {
  struct owned *owned = user_data;
  assert_ptr_equal(owned->data, data);
  assert_int_equal(owned->len, len);
  owned->releases++;
  free(owned->data); /* reading it from now on is found by the sanitizer */
}

static void owned_write(struct server_stream *stream, struct owned *owned, size_t len) {
  owned->data = pattern_new(len, 16);
  owned->len = len;
  owned->releases = 0;
  assert_int_equal(wt_stream_write_owned(stream->stream, owned->data, len, owned_release, owned), 0);
  assert_int_equal(owned->releases, 0);
}

static void test_streams_owned_writes_are_released_when_acknowledged(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  int error = 0;
  struct server_stream *stream = server_open(w.session, false, &error);
  struct owned owned;
  owned_write(stream, &owned, 100000);
  assert_int_equal(wt_stream_end(stream->stream), 0);
  struct peer_stream *seen = NULL;
  NET_UNTIL(&w.net, 2000, (seen = peer_stream(w.peer, stream->id)) && seen->rx_len);
  assert_int_equal(owned.releases, 0);
  NET_UNTIL(&w.net, 2000, seen->fin);
  NET_UNTIL(&w.net, 2000, owned.releases == 1);
  assert_int_equal(stream->closes, 0); /* released although the stream goes on */
  assert_true(world_received(&w, stream->id, peer_wt_header_len(seen, w.id), 100000, 16));
  peer_send(w.peer, stream->id, NULL, 0, true);
  NET_UNTIL(&w.net, 2000, stream->closes == 1);
  assert_int_equal(owned.releases, 1);
  world_free(&w);
}

static void test_streams_owned_writes_are_released_at_every_end(void **state) {
  (void)state;
  for (int end = 0; end < 5; end++) {
    struct world w;
    world_session(&w, "/wt");
    int error = 0;
    struct server_stream *stream = server_open(w.session, false, &error);
    NET_UNTIL(&w.net, 1000, peer_stream(w.peer, stream->id));
    struct owned in_flight, waiting;
    owned_write(stream, &in_flight, 1000);
    net_run_for(&w.net, 5);
    w.net.link[NET_TO_CLIENT].loss = 1000;
    owned_write(stream, &waiting, 100000);
    if (end == 0) wt_stream_reset(stream->stream, 1);
    if (end == 1) wt_session_close(w.session->session, 1, "", 0);
    if (end == 2) peer_stop_sending(w.peer, stream->id, wt__error_to_wire(1));
    if (end == 3) peer_close(w.peer, 0x100);
    if (end == 4) server_stop(&w.server);
    if (end == 0) assert_int_equal(waiting.releases, 0); /* not inside the call */
    net_run_for(&w.net, 100);
    w.net.link[NET_TO_CLIENT].loss = 0;
    net_run_for(&w.net, 3000);
    assert_int_equal(in_flight.releases, 1);
    assert_int_equal(waiting.releases, 1);
    world_free(&w);
    assert_int_equal(in_flight.releases, 1);
    assert_int_equal(waiting.releases, 1);
  }
}

static void test_streams_owned_write_at_the_bound_says_again(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.options.hold = true;
  w.options.max_stream_data = 1000;
  w.server.config.h3.mux.max_stream_send_buffer = 10000;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  int error = 0;
  struct server_stream *stream = server_open(w.session, true, &error);
  struct owned owned[20];
  size_t count = 0;
  int result = 0;
  while (count < 20) {
    owned[count] = (struct owned){pattern_new(1000, 1), 1000, 0};
    result = wt_stream_write_owned(stream->stream, owned[count].data, 1000, owned_release, &owned[count]);
    if (result) break;
    count++;
  }
  assert_int_equal(result, WT_ERR_AGAIN);
  assert_in_range(count, 9, 11);
  free(owned[count].data);
  for (int i = 0; i < 50 && !stream->writables; i++) {
    peer_consume(w.peer, stream->id);
    net_run_for(&w.net, 50);
  }
  assert_int_equal(stream->writables, 1);
  world_free(&w);
  assert_int_equal(owned[count].releases, 0);
  for (size_t i = 0; i < count; i++) assert_int_equal(owned[i].releases, 1);
}

/* --- Limits --- */

static void test_streams_a_thousand_with_limits_of_ten(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.max_streams_bidi = w.server.config.max_streams_uni = 10;
  w.options.max_streams_bidi = w.options.max_streams_uni = 10;
  w.options.frugal = false;
  w.server.forget = true;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
  for (unsigned i = 0; i < 1000; i++) {
    int64_t id = peer_wt_open(w.peer, i % 4 == 3, w.id, &i, sizeof(i), true);
    for (int tries = 0; id < 0 && tries < 100; tries++) {
      net_run_for(&w.net, 10);
      id = peer_wt_open(w.peer, i % 4 == 3, w.id, &i, sizeof(i), true);
    }
    assert_true(id >= 0);
    if (i % 5 == 0) NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->closed);
  }
  NET_UNTIL(&w.net, 5000, w.session->streams == 1000 && w.server.streams == NULL);
  size_t back = 0;
  for (size_t i = 3; peer_server_stream(w.peer, true, i); i++) back += peer_server_stream(w.peer, true, i)->fin;
  assert_int_equal(back, 250);
  world_free(&w);
}

static void test_streams_limit_of_client_is_an_error_then_credit(void **state) {
  (void)state;
  for (int uni = 0; uni < 2; uni++) {
    struct world w;
    world_init(&w, 1);
    w.options.max_streams_bidi = 2;
    w.options.max_streams_uni = 5; /* HTTP/3 takes three */
    world_start(&w);
    w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
    int error = 0;
    struct server_stream *first = server_open(w.session, uni, &error);
    assert_non_null(server_open(w.session, uni, &error));
    assert_null(server_open(w.session, uni, &error));
    assert_int_equal(error, WT_ERR_STREAM_LIMIT);
    net_run_for(&w.net, 1000);
    assert_int_equal(w.session->credits[uni], 0);
    assert_int_equal(wt_stream_end(first->stream), 0);
    NET_UNTIL(&w.net, 1000, peer_stream(w.peer, first->id)->fin);
    if (!uni) peer_send(w.peer, first->id, NULL, 0, true);
    NET_UNTIL(&w.net, 1000, w.session->credits[uni] == 1);
    assert_int_equal(w.session->credits[!uni], 0);
    assert_non_null(server_open(w.session, uni, &error));
    assert_null(server_open(w.session, uni, &error));
    assert_int_equal(error, WT_ERR_STREAM_LIMIT);
    world_free(&w);
  }
}

static void test_streams_hundred_in_parallel(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  int64_t ids[100];
  for (unsigned i = 0; i < 100; i++) {
    size_t len = 1000 + i * 97;
    uint8_t *data = pattern_new(len, i);
    ids[i] = peer_wt_open(w.peer, false, w.id, data, len, true);
    free(data);
  }
  for (unsigned i = 0; i < 100; i++) NET_UNTIL(&w.net, 5000, world_received(&w, ids[i], 0, 1000 + i * 97, i));
  world_free(&w);
}

/* A header may come in any pieces. */
static void test_streams_header_split_at_every_byte(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  for (int uni = 0; uni < 2; uni++) {
    uint8_t header[WT__STREAM_HEADER_MAX + 1];
    size_t len = wt__stream_header_write(header, uni, w.id);
    /* The session id in eight bytes, as a client may write it. */
    len -= 1;
    static const uint8_t wide[8] = {0xc0, 0, 0, 0, 0, 0, 0, 0};
    memcpy(header + len, wide, 8);
    len += 8;
    header[len++] = '!';
    int64_t id = uni ? peer_open_uni(w.peer) : peer_open_bidi(w.peer);
    for (size_t i = 0; i < len; i++) {
      peer_send(w.peer, id, header + i, 1, i + 1 == len);
      net_run_for(&w.net, 5);
    }
    NET_UNTIL(&w.net, 1000, server_stream(w.session, uni ? 1 : 0));
    struct server_stream *stream = server_stream(w.session, uni ? 1 : 0);
    NET_UNTIL(&w.net, 1000, stream->fin);
    assert_int_equal(stream->rx_total, 1);
    assert_int_equal(stream->rx.data[0], '!');
  }
  world_free(&w);
}

/* Section 4.3: 0x41 is the first thing on a stream, or a frame error of the connection. */
static void test_streams_signal_in_the_middle_is_a_frame_error(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  static const uint8_t signal[] = {0x40, 0x41, 0x00};
  peer_send(w.peer, w.id, signal, sizeof(signal), false);
  NET_UNTIL(&w.net, 1000, w.peer->ended);
  assert_true(w.peer->close_is_app);
  assert_int_equal(w.peer->close_code, WT__H3_FRAME_ERROR);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_streams_reset_of_client_arrives_with_its_code),
      cmocka_unit_test(test_streams_stop_sending_of_client_arrives_with_its_code),
      cmocka_unit_test(test_streams_reset_and_stop_of_server_carry_their_code),
      cmocka_unit_test(test_streams_no_data_after_stop_sending_of_server),
      cmocka_unit_test(test_streams_wrong_direction_is_a_state_error),
      cmocka_unit_test(test_streams_early_reset_of_server_still_delivers_the_header),
      cmocka_unit_test(test_streams_stop_and_reset_in_one_packet),
      cmocka_unit_test(test_streams_pause_holds_the_client_back),
      cmocka_unit_test(test_streams_pause_in_on_data_stops_at_once),
      cmocka_unit_test(test_streams_without_callbacks_wait),
      cmocka_unit_test(test_streams_writes_are_bounded_and_writable_follows),
      cmocka_unit_test(test_streams_large_echo_under_backpressure),
      cmocka_unit_test(test_streams_owned_writes_are_released_when_acknowledged),
      cmocka_unit_test(test_streams_owned_writes_are_released_at_every_end),
      cmocka_unit_test(test_streams_owned_write_at_the_bound_says_again),
      cmocka_unit_test(test_streams_a_thousand_with_limits_of_ten),
      cmocka_unit_test(test_streams_limit_of_client_is_an_error_then_credit),
      cmocka_unit_test(test_streams_hundred_in_parallel),
      cmocka_unit_test(test_streams_header_split_at_every_byte),
      cmocka_unit_test(test_streams_signal_in_the_middle_is_a_frame_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
