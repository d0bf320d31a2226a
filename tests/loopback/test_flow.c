/* SPDX-License-Identifier: MIT */
/*
 * Flow control of a session (draft-ietf-webtrans-http3-16, section 5) between a whole server and a peer that
 * keeps the rules, or does not. `FLOW` lines say what the peer's SETTINGS allow the server; what the server allows
 * is set in its configuration.
 */
#include "wire/varint.h"
#include "world.h"

#define MAX_DATA WT__CAPSULE_MAX_DATA
#define MAX_STREAMS_BIDI WT__CAPSULE_MAX_STREAMS_BIDI
#define MAX_STREAMS_UNI WT__CAPSULE_MAX_STREAMS_UNI

static uint64_t settings[10];

/* A world whose peer speaks draft 15 with these limits, and whose server has limits of its own. */
static void flow_init(struct world *w, const struct wt__flow_limits *peer, const struct wt__flow_limits *server) {
  const uint64_t pairs[] = {0x33,       1,      0x2c7cf000,       1,      0x2b61,
                            peer->data, 0x2b64, peer->streams[1], 0x2b65, peer->streams[0]};
  memcpy(settings, pairs, sizeof(pairs));
  world_init(w, 1);
  w->options.settings = settings;
  w->options.settings_count = 5;
  w->options.reset_at = PEER_RESET_AT;
  w->server.config.h3.mux.flow.initial = *server;
  w->server.config.h3.mux.flow.max_data = server->data;
}

static void flow_session(struct world *w, const struct wt__flow_limits *peer, const struct wt__flow_limits *server,
                         const char *path) {
  flow_init(w, peer, server);
  world_start(w);
  w->session = server_connect(&w->server, w->peer, path, &w->id);
}

#define LIMITS(bytes, bidi, uni) (&(const struct wt__flow_limits){(bytes), {(bidi), (uni)}})
#define MANY LIMITS(1 << 20, 100, 100)

/* How many capsules of `type` the server sent; `*last`: the value of the newest. */
static size_t flow_capsules(struct world *w, uint64_t type, uint64_t *last) {
  struct response response;
  size_t count = 0;
  http_response(w->peer, w->id, &response);
  for (size_t at = 0; at < response.body_len;) {
    uint64_t found, len, value = 0;
    size_t n = wt__varint_read(response.body + at, response.body_len - at, &found);
    size_t m = n ? wt__varint_read(response.body + at + n, response.body_len - at - n, &len) : 0;
    if (!n || !m || response.body_len - at - n - m < len) break;
    at += n + m;
    if (len > 0) (void)wt__varint_read(response.body + at, (size_t)len, &value);
    at += (size_t)len;
    if (found != type) continue;
    count++;
    if (last) *last = value;
  }
  response_free(&response);
  return count;
}

static size_t flow_count(struct world *w, uint64_t type) { return flow_capsules(w, type, NULL); }

static void flow_send(struct world *w, uint64_t type, uint64_t value) {
  struct bytes capsule_bytes = {0};
  uint8_t varint[8];
  capsule(&capsule_bytes, type, varint, wt__varint_write(varint, value));
  http_data(w->peer, w->id, capsule_bytes.data, capsule_bytes.len, false);
  bytes_free(&capsule_bytes);
}

/* The server ends the session with WT_FLOW_CONTROL_ERROR, and the connection lives on. */
static void flow_expect_error(struct world *w) {
  NET_UNTIL(&w->net, 1000, w->session->closes == 1 && peer_stream(w->peer, w->id)->reset);
  assert_int_equal(w->session->info.by, WT_TRANSPORT);
  assert_false(w->session->info.clean);
  assert_int_equal(w->session->info.wire_code, WT__WT_FLOW_CONTROL_ERROR);
  assert_int_equal(peer_stream(w->peer, w->id)->reset_code, 0x045d4487);
  int64_t id = http_request(w->peer, "GET", "/hello", NULL, true);
  NET_UNTIL(&w->net, 1000, http_status(w->peer, id) == 200);
}

/* --- Limits of the peer --- */

static void test_flow_third_stream_waits_until_the_peer_has_finished_one(void **state) {
  (void)state;
  for (int uni = 0; uni < 2; uni++) {
    struct world w;
    int error = 0;
    flow_session(&w, LIMITS(1 << 20, 2, 2), MANY, "/wt");
    assert_non_null(server_open(w.session, uni, &error));
    assert_non_null(server_open(w.session, uni, &error));
    for (int i = 0; i < 3; i++) {
      assert_null(server_open(w.session, uni, &error));
      assert_int_equal(error, WT_ERR_STREAM_LIMIT);
    }
    uint64_t at = 0, type = uni ? WT__CAPSULE_STREAMS_BLOCKED_UNI : WT__CAPSULE_STREAMS_BLOCKED_BIDI;
    net_run_for(&w.net, 500);
    assert_int_equal(flow_capsules(&w, type, &at), 1); /* once for the limit */
    assert_int_equal(at, 2);
    assert_int_equal(w.session->credits[uni], 0);
    flow_send(&w, uni ? MAX_STREAMS_UNI : MAX_STREAMS_BIDI, 3);
    NET_UNTIL(&w.net, 1000, w.session->credits[uni] == 1);
    struct server_stream *third = server_open(w.session, uni, &error);
    assert_non_null(third);
    NET_UNTIL(&w.net, 1000, peer_stream(w.peer, third->id));
    assert_null(server_open(w.session, uni, &error));
    NET_UNTIL(&w.net, 1000, flow_count(&w, type) == 2);
    world_free(&w);
  }
}

static size_t flow_body_len(struct world *w, const struct server_stream *stream) {
  const struct peer_stream *record = peer_stream(w->peer, stream->id);
  size_t header = record ? peer_wt_header_len(record, w->id) : 0;
  return header ? record->rx_len - header : 0;
}

static void test_flow_ten_bytes_with_a_limit_of_five_arrive_when_the_peer_has_read(void **state) {
  (void)state;
  struct world w;
  int error = 0;
  size_t written;
  uint64_t at = 0;
  flow_session(&w, LIMITS(5, 9, 9), MANY, "/wt");
  struct server_stream *stream = server_open(w.session, true, &error);
  assert_int_equal(wt_stream_write(stream->stream, "0123456789", 10, &written), 0);
  assert_int_equal(written, 10);
  assert_int_equal(wt_stream_end(stream->stream), 0);
  NET_UNTIL(&w.net, 1000, flow_body_len(&w, stream) == 5);
  net_run_for(&w.net, 3000);
  assert_int_equal(flow_body_len(&w, stream), 5);
  assert_int_equal(flow_capsules(&w, WT__CAPSULE_DATA_BLOCKED, &at), 1);
  assert_int_equal(at, 5);
  flow_send(&w, MAX_DATA, 8);
  NET_UNTIL(&w.net, 1000, flow_body_len(&w, stream) == 8);
  NET_UNTIL(&w.net, 1000, flow_capsules(&w, WT__CAPSULE_DATA_BLOCKED, &at) == 2 && at == 8);
  flow_send(&w, MAX_DATA, 1000);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, stream->id)->fin);
  struct peer_stream *record = peer_stream(w.peer, stream->id);
  assert_memory_equal(record->rx + record->rx_len - 10, "0123456789", 10);
  world_free(&w);
}

static void test_flow_limits_of_zero_move_nothing_and_do_not_spin(void **state) {
  (void)state;
  struct world w;
  int error = 0;
  size_t written;
  struct wt__endpoint_stats before, after;
  flow_session(&w, LIMITS(0, 1, 0), LIMITS(0, 0, 1), "/wt");
  assert_null(server_open(w.session, true, &error));
  assert_int_equal(error, WT_ERR_STREAM_LIMIT);
  struct server_stream *stream = server_open(w.session, false, &error);
  assert_int_equal(wt_stream_write(stream->stream, "x", 1, &written), 0);
  net_run_for(&w.net, 1000);
  assert_non_null(peer_stream(w.peer, stream->id)); /* its header is free */
  assert_int_equal(flow_body_len(&w, stream), 0);
  uint64_t steps = w.net.steps;
  wt__endpoint_get_stats(w.server.endpoint, &before);
  net_run_for(&w.net, 5000);
  wt__endpoint_get_stats(w.server.endpoint, &after);
  assert_int_equal(after.packets_sent - before.packets_sent, 0);
  assert_true(w.net.steps - steps < 50);
  assert_int_equal(flow_count(&w, MAX_DATA), 0);
  assert_int_equal(flow_count(&w, MAX_STREAMS_BIDI), 0);
  assert_int_equal(flow_count(&w, WT__CAPSULE_DATA_BLOCKED), 1);
  world_free(&w);
}

static void test_flow_capsules_that_break_the_rules_end_the_session(void **state) {
  (void)state;
  static const struct {
    uint64_t type, value;
  } cases[] = {
      {MAX_DATA, 5},
      {MAX_DATA, 1},
      {MAX_STREAMS_BIDI, 2},
      {MAX_STREAMS_UNI, 0},
      {MAX_STREAMS_BIDI, (UINT64_C(1) << 60) + 1},
      {MAX_STREAMS_UNI, (UINT64_C(1) << 60) + 1},
      {WT__CAPSULE_STREAMS_BLOCKED_BIDI, (UINT64_C(1) << 60) + 1},
      {WT__CAPSULE_STREAMS_BLOCKED_UNI, (UINT64_C(1) << 60) + 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct world w;
    flow_session(&w, LIMITS(5, 2, 2), MANY, "/wt");
    flow_send(&w, cases[i].type, cases[i].value);
    flow_expect_error(&w);
    world_free(&w);
  }
}

static void test_flow_of_single_streams_is_prohibited(void **state) {
  (void)state;
  static const uint64_t types[] = {WT__CAPSULE_MAX_STREAM_DATA, WT__CAPSULE_STREAM_DATA_BLOCKED};
  for (size_t i = 0; i < 2; i++) {
    struct world w;
    flow_session(&w, LIMITS(5, 2, 2), MANY, "/wt");
    flow_send(&w, types[i], 7);
    NET_UNTIL(&w.net, 1000, w.session->closes == 1 && peer_stream(w.peer, w.id)->reset);
    assert_false(w.session->info.clean);
    world_free(&w);
  }
}

static void test_flow_is_off_when_only_one_side_announces(void **state) {
  (void)state;
  for (int server = 0; server < 2; server++) {
    struct world w;
    int error = 0;
    flow_session(&w, server ? LIMITS(0, 0, 0) : LIMITS(1, 1, 1), server ? LIMITS(1, 1, 1) : LIMITS(0, 0, 0), "/echo");
    flow_send(&w, MAX_DATA, 1); /* ignored, though it would break a rule */
    flow_send(&w, MAX_STREAMS_BIDI, (UINT64_C(1) << 60) + 1);
    for (int i = 0; i < 3; i++) assert_non_null(server_open(w.session, true, &error));
    for (int i = 0; i < 3; i++) {
      uint8_t *data = pattern_new(1000, 7);
      int64_t id = peer_wt_open(w.peer, false, w.id, data, 1000, true);
      free(data);
      NET_UNTIL(&w.net, 1000, world_received(&w, id, 0, 1000, 7));
    }
    assert_int_equal(w.session->closes, 0);
    assert_int_equal(flow_count(&w, MAX_DATA), 0);
    world_free(&w);
  }
}

/* What a reset stream has used is what was sent on it. */
static void test_flow_own_resets_use_what_was_sent(void **state) {
  (void)state;
  struct world w;
  int error = 0;
  size_t written;
  flow_session(&w, LIMITS(5, 9, 9), MANY, "/wt");
  struct server_stream *first = server_open(w.session, true, &error);
  assert_int_equal(wt_stream_write(first->stream, "0123456789", 10, &written), 0);
  NET_UNTIL(&w.net, 1000, flow_body_len(&w, first) == 5);
  wt_stream_reset(first->stream, 1);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, first->id)->got_reset_at);
  assert_int_equal(peer_stream(w.peer, first->id)->reset_at_final_size, peer_stream(w.peer, first->id)->rx_len);
  struct server_stream *second = server_open(w.session, true, &error);
  assert_int_equal(wt_stream_write(second->stream, "abcdefghij", 10, &written), 0);
  net_run_for(&w.net, 500);
  assert_int_equal(flow_body_len(&w, second), 0);
  flow_send(&w, MAX_DATA, 8);
  NET_UNTIL(&w.net, 1000, flow_body_len(&w, second) == 3);
  net_run_for(&w.net, 500);
  assert_int_equal(flow_body_len(&w, second), 3);
  world_free(&w);
}

/* --- Limits of the server --- */

static void test_flow_server_gives_stream_credit_back_when_a_stream_closes(void **state) {
  (void)state;
  struct world w;
  uint64_t max = 0;
  flow_session(&w, LIMITS(1 << 20, 9, 9), LIMITS(1 << 20, 2, 2), "/wt");
  peer_wt_open(w.peer, true, w.id, "a", 1, false);
  int64_t second = peer_wt_open(w.peer, true, w.id, "b", 1, false);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 1));
  net_run_for(&w.net, 500);
  assert_int_equal(flow_count(&w, MAX_STREAMS_UNI), 0);
  peer_send(w.peer, second, NULL, 0, true);
  NET_UNTIL(&w.net, 1000, flow_capsules(&w, MAX_STREAMS_UNI, &max) == 1);
  assert_int_equal(max, 3);
  peer_wt_open(w.peer, true, w.id, "c", 1, false);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 2));
  assert_int_equal(w.session->closes, 0);
  world_free(&w);
}

static void test_flow_overrun_of_streams_ends_the_session(void **state) {
  (void)state;
  for (int uni = 0; uni < 2; uni++) {
    struct world w;
    flow_session(&w, LIMITS(1 << 20, 9, 9), LIMITS(1 << 20, 2, 2), "/wt");
    for (int i = 0; i < 3; i++) peer_wt_open(w.peer, uni, w.id, "x", 1, false);
    flow_expect_error(&w);
    assert_null(server_stream(w.session, 2)); /* nobody was told of the third */
    world_free(&w);
  }
}

static void hook_pause(struct server *server, enum server_event event, struct server_session *session,
                       struct server_stream *stream) {
  (void)server, (void)session;
  if (event == SERVER_STREAM) wt_stream_pause(stream->stream);
}

static void test_flow_overrun_of_bytes_ends_the_session(void **state) {
  (void)state;
  struct world w;
  flow_init(&w, LIMITS(1 << 20, 9, 9), LIMITS(100, 9, 9));
  w.server.hook = hook_pause;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  uint8_t *data = pattern_new(101, 1);
  int64_t id = peer_wt_open(w.peer, true, w.id, data, 60, false);
  peer_wt_open(w.peer, false, w.id, data, 40, false);
  net_run_for(&w.net, 500);
  assert_int_equal(w.session->closes, 0); /* exactly the limit */
  peer_send(w.peer, id, data, 1, false);
  free(data);
  flow_expect_error(&w);
  world_free(&w);
}

static void test_flow_reset_streams_count_by_their_final_size(void **state) {
  (void)state;
  struct world w;
  uint64_t max = 0;
  flow_init(&w, LIMITS(1 << 20, 9, 9), LIMITS(100, 9, 9));
  w.server.hook = hook_pause;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  uint8_t *data = pattern_new(80, 1);
  for (unsigned i = 1; i <= 5; i++) { /* four times as much as fits, none of it read */
    int64_t id = peer_wt_open(w.peer, i % 2, w.id, data, 80, false);
    NET_UNTIL(&w.net, 1000, server_stream(w.session, i - 1));
    net_run_for(&w.net, 100);
    assert_int_equal(flow_count(&w, MAX_DATA), i - 1);
    peer_reset(w.peer, id, wt__error_to_wire(3));
    NET_UNTIL(&w.net, 1000, flow_capsules(&w, MAX_DATA, &max) == i);
    assert_int_equal(max, 80 * i + 100);
    assert_int_equal(w.session->closes, 0);
  }
  free(data);
  world_free(&w);
}

/* A reset whose last bytes never came: they count all the same, and are free again. */
static enum net_verdict drop_if(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data, size_t len) {
  (void)direction, (void)index, (void)data, (void)len;
  return *(bool *)ctx ? NET_DROP : NET_PASS;
}

static void test_flow_reset_counts_bytes_that_were_lost(void **state) {
  (void)state;
  struct world w;
  uint64_t max = 0;
  bool drop = false;
  flow_init(&w, LIMITS(1 << 20, 9, 9), LIMITS(1000, 9, 9));
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  uint8_t *data = pattern_new(900, 1);
  int64_t id = peer_wt_open(w.peer, true, w.id, data, 100, false);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 0) && server_stream(w.session, 0)->rx_total == 100);
  net_run_for(&w.net, 500);
  w.net.filter = drop_if;
  w.net.filter_ctx = &drop;
  drop = true;
  peer_send(w.peer, id, data, 700, false); /* lost */
  drop = false;
  peer_reset(w.peer, id, wt__error_to_wire(3));
  NET_UNTIL(&w.net, 5000, server_stream(w.session, 0)->resets == 1);
  assert_int_equal(server_stream(w.session, 0)->rx_total, 100);
  NET_UNTIL(&w.net, 1000, flow_capsules(&w, MAX_DATA, &max) == 1);
  assert_int_equal(max, 800 + 1000);
  free(data);
  world_free(&w);
}

/* --- Streams that the server stops, and that the peer ends in order --- */

static void flow_stopped_init(struct world *w, uint64_t bytes) {
  flow_init(w, LIMITS(1 << 20, 9, 9), LIMITS(bytes, 9, 9));
  w->options.deaf_to_stops = true;
  world_start(w);
  w->session = server_connect(&w->server, w->peer, "/wt", &w->id);
}

/* What is on its way when the server stops the stream is counted once the FIN says how much it was: at once, while the
 * server's side of a bidirectional stream stays open. */
static void test_flow_stopped_streams_count_by_the_fin(void **state) {
  (void)state;
  struct world w;
  uint64_t max = 0;
  flow_stopped_init(&w, 1000);
  uint8_t *data = pattern_new(800, 1);
  for (unsigned i = 0; i < 6; i++) { /* nearly five times as much as fits */
    int64_t id = peer_wt_open(w.peer, i % 2, w.id, data, 100, false);
    NET_UNTIL(&w.net, 1000, server_stream(w.session, i) && server_stream(w.session, i)->rx_total == 100);
    struct server_stream *stream = server_stream(w.session, i);
    assert_int_equal(wt_stream_stop_sending(stream->stream, 5), 0);
    NET_UNTIL(&w.net, 1000, w.peer->stops_unheard == i + 1);
    peer_send(w.peer, id, data, 700, false);
    net_run_for(&w.net, 500);
    assert_int_equal(flow_count(&w, MAX_DATA), i);
    peer_send(w.peer, id, NULL, 0, true);
    NET_UNTIL(&w.net, 1000, flow_capsules(&w, MAX_DATA, &max) == i + 1);
    assert_int_equal(max, 800 * (i + 1) + 1000);
    assert_int_equal(stream->rx_total, 100);
    assert_int_equal(stream->closes, i % 2);
  }
  assert_int_equal(w.session->closes, 0);
  free(data);
  world_free(&w);
}

/* The FIN is there before the stop, the bytes in between are not. */
static void test_flow_stopped_streams_count_by_a_fin_that_came_before(void **state) {
  (void)state;
  struct world w;
  uint64_t max = 0;
  bool drop = false;
  flow_stopped_init(&w, 1000);
  uint8_t *data = pattern_new(800, 1);
  int64_t id = peer_wt_open(w.peer, false, w.id, data, 100, false);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 0) && server_stream(w.session, 0)->rx_total == 100);
  net_run_for(&w.net, 500);
  w.net.filter = drop_if;
  w.net.filter_ctx = &drop;
  drop = true;
  peer_send(w.peer, id, data, 600, false); /* lost */
  drop = false;
  peer_send(w.peer, id, data, 100, true);
  net_run_for(&w.net, 12); /* there, and nothing sent again yet */
  assert_int_equal(server_stream(w.session, 0)->rx_total, 100);
  assert_int_equal(wt_stream_stop_sending(server_stream(w.session, 0)->stream, 5), 0);
  NET_UNTIL(&w.net, 1000, flow_capsules(&w, MAX_DATA, &max) == 1);
  assert_int_equal(max, 800 + 1000);
  net_run_for(&w.net, 3000); /* the lost bytes come again: they do not count twice */
  assert_int_equal(flow_count(&w, MAX_DATA), 1);
  assert_int_equal(w.session->closes, 0);
  free(data);
  world_free(&w);
}

static void test_flow_overrun_by_a_stopped_stream_ends_the_session(void **state) {
  (void)state;
  struct world w;
  flow_stopped_init(&w, 200);
  uint8_t *data = pattern_new(101, 1);
  int64_t id = peer_wt_open(w.peer, true, w.id, data, 100, false);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 0) && server_stream(w.session, 0)->rx_total == 100);
  assert_int_equal(wt_stream_stop_sending(server_stream(w.session, 0)->stream, 5), 0);
  NET_UNTIL(&w.net, 1000, w.peer->stops_unheard == 1);
  uint64_t max = 200;
  flow_capsules(&w, MAX_DATA, &max);
  for (uint64_t sent = 100; sent <= max; sent += 101) peer_queue(w.peer, id, data, 101, false);
  peer_send(w.peer, id, NULL, 0, true);
  free(data);
  flow_expect_error(&w);
  world_free(&w);
}

/* Sends as much as the limit allows, again and again. The windows that the server tells are what is counted. */
static void test_flow_window_grows_while_it_is_used_up(void **state) {
  (void)state;
  struct world w;
  flow_init(&w, LIMITS(1 << 20, 9, 9), LIMITS(4096, 9, 9));
  w.server.config.h3.mux.flow.max_data = 20000;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  int64_t id = peer_wt_open(w.peer, true, w.id, NULL, 0, false);
  uint8_t *data = pattern_new(20000, 1);
  uint64_t sent = 0, max = 4096, largest = 0;
  for (int i = 0; i < 20; i++) {
    size_t count = flow_count(&w, MAX_DATA);
    largest = max - sent > largest ? max - sent : largest;
    peer_send(w.peer, id, data, (size_t)(max - sent), false);
    sent = max;
    NET_UNTIL(&w.net, 1000, flow_capsules(&w, MAX_DATA, &max) > count);
  }
  free(data);
  assert_true(largest > 2 * 4096); /* not the window itself: it is extended before it is used up */
  assert_true(largest <= 20000);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 0)->rx_total == sent);
  NET_UNTIL(&w.net, 1000, flow_capsules(&w, MAX_DATA, &max) > 0 && max > sent + 10000);
  assert_int_equal(w.session->closes, 0);
  world_free(&w);
}

/* Early streams count once their session is there. */
static void test_flow_counts_early_streams(void **state) {
  (void)state;
  struct world w;
  flow_init(&w, LIMITS(1 << 20, 9, 9), LIMITS(100, 9, 9));
  world_start(&w);
  NET_UNTIL(&w.net, 1000, w.peer->control >= 0);
  uint8_t *data = pattern_new(120, 1);
  w.id = peer_open_bidi(w.peer);
  peer_wt_open(w.peer, true, w.id, data, 60, false);
  peer_wt_open(w.peer, true, w.id, data, 60, false);
  free(data);
  net_run_for(&w.net, 500);
  http_connect_on(w.peer, w.id, "webtransport-h3", "/wt", NULL, NULL);
  NET_UNTIL(&w.net, 1000, server_session(&w.server, 0));
  w.session = server_session(&w.server, 0);
  flow_expect_error(&w);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flow_third_stream_waits_until_the_peer_has_finished_one),
      cmocka_unit_test(test_flow_ten_bytes_with_a_limit_of_five_arrive_when_the_peer_has_read),
      cmocka_unit_test(test_flow_limits_of_zero_move_nothing_and_do_not_spin),
      cmocka_unit_test(test_flow_capsules_that_break_the_rules_end_the_session),
      cmocka_unit_test(test_flow_of_single_streams_is_prohibited),
      cmocka_unit_test(test_flow_is_off_when_only_one_side_announces),
      cmocka_unit_test(test_flow_own_resets_use_what_was_sent),
      cmocka_unit_test(test_flow_server_gives_stream_credit_back_when_a_stream_closes),
      cmocka_unit_test(test_flow_overrun_of_streams_ends_the_session),
      cmocka_unit_test(test_flow_overrun_of_bytes_ends_the_session),
      cmocka_unit_test(test_flow_reset_streams_count_by_their_final_size),
      cmocka_unit_test(test_flow_reset_counts_bytes_that_were_lost),
      cmocka_unit_test(test_flow_stopped_streams_count_by_the_fin),
      cmocka_unit_test(test_flow_stopped_streams_count_by_a_fin_that_came_before),
      cmocka_unit_test(test_flow_overrun_by_a_stopped_stream_ends_the_session),
      cmocka_unit_test(test_flow_window_grows_while_it_is_used_up),
      cmocka_unit_test(test_flow_counts_early_streams),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
