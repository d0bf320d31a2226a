/* SPDX-License-Identifier: MIT */
/*
 * Too early and too late (draft-ietf-webtrans-http3-16, section 4.6): streams and datagrams that overtake their
 * CONNECT, how many may wait and how long, and those of a session that is over.
 */
#include "wire/stream_header.h"
#include "world.h"

static void early_start(struct world *w) {
  world_start(w);
  NET_UNTIL(&w->net, 1000, w->peer->control >= 0);
  w->id = peer_open_bidi(w->peer); /* the CONNECT comes on it, later */
}

static struct server_session *early_connect(struct world *w, const char *path) {
  http_connect_on(w->peer, w->id, "webtransport", path, NULL, NULL);
  NET_UNTIL(&w->net, 1000, http_status(w->peer, w->id) != 0);
  w->session = server_session(&w->server, 0);
  return w->session;
}

static void test_early_streams_and_datagram_are_delivered(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  early_start(&w);
  int64_t bidi = peer_wt_open(w.peer, false, w.id, "bidirectional", 13, true);
  peer_wt_open(w.peer, true, w.id, "unidirectional", 14, true);
  peer_wt_datagram(w.peer, w.id, "datagram", 8);
  net_run_for(&w.net, 1000);
  assert_int_equal(early_connect(&w, "/echo")->closes, 0);
  NET_UNTIL(&w.net, 1000,
            peer_stream(w.peer, bidi)->fin && w.session->datagrams == 1 && w.peer->rx_datagram_count == 1);
  assert_int_equal(peer_stream(w.peer, bidi)->rx_len, 13);
  assert_memory_equal(peer_stream(w.peer, bidi)->rx, "bidirectional", 13);
  assert_memory_equal(w.session->last_datagram.data, "datagram", 8);
  NET_UNTIL(&w.net, 1000, peer_server_stream(w.peer, true, 3) && peer_server_stream(w.peer, true, 3)->fin);
  world_free(&w);
}

static void test_early_before_the_settings_too(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.options.send_settings = false;
  world_start(&w);
  w.id = http_connect(w.peer, "webtransport", "/echo", NULL, NULL);
  int64_t bidi = peer_wt_open(w.peer, false, w.id, "x", 1, true);
  peer_wt_datagram(w.peer, w.id, "d", 1);
  net_run_for(&w.net, 1000);
  assert_int_equal(http_status(w.peer, w.id), 0);
  peer_send_settings(w.peer);
  NET_UNTIL(&w.net, 1000, http_status(w.peer, w.id) == 200);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, bidi)->fin && w.peer->rx_datagram_count == 1);
  world_free(&w);
}

static void test_early_streams_beyond_the_bound_are_rejected(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.h3.mux.max_early_streams = 4;
  early_start(&w);
  int64_t ids[6];
  for (size_t i = 0; i < 6; i++) ids[i] = peer_wt_open(w.peer, i & 1, w.id, "abc", 3, false);
  net_run_for(&w.net, 200);
  unsigned rejected = 0;
  for (size_t i = 0; i < 6; i++) {
    struct peer_stream *stream = peer_stream(w.peer, ids[i]);
    if (!stream->stopped) continue;
    rejected++;
    assert_int_equal(stream->stop_code, WT__WT_BUFFERED_STREAM_REJECTED);
    if (!(i & 1)) assert_true(stream->reset);
    if (!(i & 1)) assert_int_equal(stream->reset_code, WT__WT_BUFFERED_STREAM_REJECTED);
  }
  assert_int_equal(rejected, 2);
  early_connect(&w, "/wt");
  NET_UNTIL(&w.net, 1000, w.session->streams == 4);
  for (size_t i = 0; i < 4; i++) assert_int_equal(server_stream(w.session, i)->rx_total, 3);
  peer_wt_open(w.peer, false, w.id, "later", 5, true);
  NET_UNTIL(&w.net, 1000, w.session->streams == 5);
  world_free(&w);
}

static void test_early_datagrams_beyond_the_bound_are_dropped(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.h3.mux.max_early_datagrams = 4;
  early_start(&w);
  for (uint8_t i = 0; i < 6; i++) peer_wt_datagram(w.peer, w.id, &i, 1);
  net_run_for(&w.net, 200);
  early_connect(&w, "/wt");
  net_run_for(&w.net, 200);
  assert_int_equal(w.session->datagrams, 4);
  peer_wt_datagram(w.peer, w.id, "x", 1);
  NET_UNTIL(&w.net, 1000, w.session->datagrams == 5);
  struct wt_session_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_session_get_stats(w.session->session, &stats), 0);
  assert_int_equal(stats.datagrams_received, 5);
  world_free(&w);
}

static void test_early_stream_is_rejected_after_five_seconds(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  early_start(&w);
  int64_t old = peer_wt_open(w.peer, false, w.id, "abc", 3, false);
  net_run_for(&w.net, 3000);
  int64_t young = peer_wt_open(w.peer, false, w.id, "abc", 3, true);
  net_run_for(&w.net, 1900);
  assert_false(peer_stream(w.peer, old)->stopped);
  net_run_for(&w.net, 200);
  assert_true(peer_stream(w.peer, old)->stopped);
  assert_int_equal(peer_stream(w.peer, old)->stop_code, WT__WT_BUFFERED_STREAM_REJECTED);
  assert_int_equal(peer_stream(w.peer, old)->reset_code, WT__WT_BUFFERED_STREAM_REJECTED);
  assert_false(peer_stream(w.peer, young)->reset);
  early_connect(&w, "/echo");
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, young)->fin);
  assert_int_equal(w.session->streams, 1);
  world_free(&w);
}

static void test_early_streams_do_not_exceed_their_windows(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  early_start(&w);
  const size_t len = 1 << 20;
  uint8_t *data = pattern_new(len, 21);
  int64_t id = peer_wt_open(w.peer, false, w.id, data, len, true);
  free(data);
  net_run_for(&w.net, 2000);
  assert_true(peer_stream(w.peer, id)->tx_sent <= w.server.config.initial_max_stream_data + 16);
  early_connect(&w, "/echo");
  NET_UNTIL(&w.net, 10000, world_received(&w, id, 0, len, 21));
  world_free(&w);
}

static void test_early_stream_that_is_reset_is_forgotten_or_told(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  early_start(&w);
  int64_t id = peer_wt_open(w.peer, false, w.id, "abc", 3, false);
  net_run_for(&w.net, 100);
  peer_reset(w.peer, id, wt__error_to_wire(7));
  net_run_for(&w.net, 100);
  early_connect(&w, "/wt");
  net_run_for(&w.net, 1000);
  struct server_stream *stream = server_stream(w.session, 0);
  if (stream) assert_int_equal(stream->resets, 1);
  if (stream) assert_int_equal(stream->reset_error.code, 7);
  peer_wt_open(w.peer, false, w.id, "next", 4, true);
  NET_UNTIL(&w.net, 1000, w.session->streams == (stream ? 2u : 1u));
  world_free(&w);
}

static void early_assert_refused(struct world *w, int64_t id) {
  NET_UNTIL(&w->net, 1000, peer_stream(w->peer, id)->stopped && peer_stream(w->peer, id)->reset);
  assert_int_equal(peer_stream(w->peer, id)->stop_code, WT__WT_BUFFERED_STREAM_REJECTED);
  assert_int_equal(peer_stream(w->peer, id)->reset_code, WT__WT_BUFFERED_STREAM_REJECTED);
}

static void test_early_streams_of_a_request_that_is_none_are_refused(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  early_start(&w);
  int64_t id = peer_wt_open(w.peer, false, w.id, "abc", 3, false);
  net_run_for(&w.net, 100);
  early_connect(&w, "/nothing-here");
  assert_int_equal(http_status(w.peer, w.id), 404);
  early_assert_refused(&w, id);
  world_free(&w);
}

static void test_early_stream_of_a_closed_session_is_refused(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  http_data(w.peer, w.id, NULL, 0, true);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1 && peer_stream(w.peer, w.id)->closed);
  int64_t id = peer_wt_open(w.peer, false, w.id, "late", 4, false);
  early_assert_refused(&w, id);
  int64_t whole = peer_wt_open(w.peer, false, w.id, "late", 4, true); /* nothing left to stop here */
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, whole)->reset);
  assert_int_equal(peer_stream(w.peer, whole)->reset_code, WT__WT_BUFFERED_STREAM_REJECTED);
  assert_false(w.peer->ended);
  /* The connection goes on. */
  w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
  id = peer_wt_open(w.peer, false, w.id, "new", 3, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
  world_free(&w);
}

static void test_early_session_id_of_another_kind_is_an_id_error(void **state) {
  (void)state;
  for (int uni = 0; uni < 2; uni++) {
    for (int64_t bad = 1; bad < 4; bad++) {
      struct world w;
      world_session(&w, "/wt");
      peer_wt_open(w.peer, uni, bad, "x", 1, false);
      NET_UNTIL(&w.net, 1000, w.peer->ended);
      assert_true(w.peer->close_is_app);
      assert_int_equal(w.peer->close_code, WT__H3_ID_ERROR);
      NET_UNTIL(&w.net, 1000, w.session->closes == 1);
      assert_int_equal(w.session->info.wire_code, WT__H3_ID_ERROR);
      world_free(&w);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_early_streams_and_datagram_are_delivered),
      cmocka_unit_test(test_early_before_the_settings_too),
      cmocka_unit_test(test_early_streams_beyond_the_bound_are_rejected),
      cmocka_unit_test(test_early_datagrams_beyond_the_bound_are_dropped),
      cmocka_unit_test(test_early_stream_is_rejected_after_five_seconds),
      cmocka_unit_test(test_early_streams_do_not_exceed_their_windows),
      cmocka_unit_test(test_early_stream_that_is_reset_is_forgotten_or_told),
      cmocka_unit_test(test_early_streams_of_a_request_that_is_none_are_refused),
      cmocka_unit_test(test_early_stream_of_a_closed_session_is_refused),
      cmocka_unit_test(test_early_session_id_of_another_kind_is_an_id_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
