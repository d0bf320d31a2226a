/* SPDX-License-Identifier: MIT */
/*
 * Datagrams (draft-ietf-webtrans-http3-16, section 4.5; RFC 9297, section 2.1): sizes, the bound on the queue,
 * and what belongs to no session.
 */
#include "wire/datagram.h"
#include "world.h"

static void test_datagrams_hundred_of_800_bytes_come_back(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  for (unsigned i = 0; i < 100; i++) {
    uint8_t *data = pattern_new(800, i);
    peer_wt_datagram(w.peer, w.id, data, 800);
    free(data);
    net_run_for(&w.net, 5);
  }
  NET_UNTIL(&w.net, 1000, w.peer->rx_datagram_count == 100);
  for (unsigned i = 0; i < 100; i++) {
    struct peer_datagram *datagram = peer_take_datagram(w.peer);
    assert_int_equal(datagram->len, 801); /* a quarter stream id of one byte */
    assert_int_equal(datagram->data[0], w.id / 4);
    assert_true(pattern_matches(datagram->data + 1, 800, 0, i));
    free(datagram);
  }
  world_free(&w);
}

static void test_datagrams_may_be_empty(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  peer_wt_datagram(w.peer, w.id, NULL, 0);
  NET_UNTIL(&w.net, 1000, w.peer->rx_datagram_count == 1);
  assert_int_equal(w.session->datagrams, 1);
  struct peer_datagram *datagram = peer_take_datagram(w.peer);
  assert_int_equal(datagram->len, 1);
  free(datagram);
  world_free(&w);
}

static void test_datagrams_largest_fits_and_one_more_is_an_error(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  net_run_for(&w.net, 2000); /* path MTU discovery settles */
  size_t max = wt_session_max_datagram_size(w.session->session);
  assert_in_range(max, 1000, 65535);
  uint8_t *data = pattern_new(max + 1, 2);
  assert_int_equal(wt_session_send_datagram(w.session->session, data, max + 1), WT_ERR_TOO_LARGE);
  assert_int_equal(wt_session_send_datagram(w.session->session, data, max), 0);
  free(data);
  NET_UNTIL(&w.net, 1000, w.peer->rx_datagram_count == 1);
  struct peer_datagram *datagram = peer_take_datagram(w.peer);
  assert_int_equal(datagram->len, max + wt__datagram_header_len(w.id));
  assert_true(pattern_matches(datagram->data + 1, max, 0, 2));
  free(datagram);
  world_free(&w);
}

static void test_datagrams_size_obeys_the_clients_limit(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.options.max_datagram_frame_size = 500;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  size_t max = wt_session_max_datagram_size(w.session->session);
  /* The frame's type and length count (RFC 9221, section 3), and the quarter stream id. */
  assert_in_range(max, 490, 498);
  uint8_t *data = pattern_new(max + 1, 2);
  assert_int_equal(wt_session_send_datagram(w.session->session, data, max), 0);
  assert_int_equal(wt_session_send_datagram(w.session->session, data, max + 1), WT_ERR_TOO_LARGE);
  free(data);
  NET_UNTIL(&w.net, 1000, w.peer->rx_datagram_count == 1);
  assert_false(w.peer->ended);
  world_free(&w);
}

static void test_datagrams_full_queue_drops_the_oldest_and_counts(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.h3.mux.max_datagrams_queued = 8;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  net_run_for(&w.net, 100);
  for (uint8_t i = 0; i < 20; i++) assert_int_equal(wt_session_send_datagram(w.session->session, &i, 1), 0);
  NET_UNTIL(&w.net, 1000, w.peer->rx_datagram_count == 8);
  for (uint8_t i = 12; i < 20; i++) {
    struct peer_datagram *datagram = peer_take_datagram(w.peer);
    assert_int_equal(datagram->data[1], i);
    free(datagram);
  }
  struct wt_session_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_session_get_stats(w.session->session, &stats), 0);
  assert_int_equal(stats.datagrams_dropped_outgoing, 12);
  assert_int_equal(w.server.counters.datagrams.dropped, 12);
  net_run_for(&w.net, 1000);
  assert_int_equal(w.peer->rx_datagram_count, 8);
  world_free(&w);
}

/* A second of datagrams for the link, of which each may wait for 100 ms. */
static void test_datagrams_that_wait_too_long_are_not_sent(void **state) {
  (void)state;
  enum {
    COUNT = 100,
    SIZE = 1000,
    MAX_AGE = 100
  };
  static const uint8_t data[SIZE];
  struct world w;
  world_session(&w, "/wt");
  w.net.link[NET_TO_CLIENT].bandwidth = COUNT * SIZE;
  w.net.link[NET_TO_CLIENT].queue_max = 1000 * NET_MS;
  wt_session *session = w.session->session;
  wt_session_set_datagram_max_age(session, MAX_AGE);
  net_run_for(&w.net, 5000); /* what the connection did last says nothing about their age */
  for (unsigned i = 0; i < COUNT; i++) assert_int_equal(wt_session_send_datagram(session, data, SIZE), 0);
  net_run_for(&w.net, 5000);
  struct wt_session_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_session_get_stats(session, &stats), 0);
  assert_in_range(stats.datagrams_sent, 10, COUNT / 2); /* a first window, and what leaves in 100 ms */
  assert_int_equal(stats.datagrams_sent + stats.datagrams_expired_outgoing, COUNT);
  assert_int_equal(stats.datagrams_dropped_outgoing, 0);
  assert_in_range(stats.max_datagram_queue_delay_us, MAX_AGE * 500, MAX_AGE * 1000);
  assert_in_range(stats.datagram_queue_delay_us, 1, stats.max_datagram_queue_delay_us);
  assert_int_equal(w.peer->rx_datagram_count, stats.datagrams_sent);
  const struct wt__datagram_counts *counts =
      &w.server.counters.datagrams; /* of all sessions, and this is the only one */
  assert_int_equal(counts->sent, stats.datagrams_sent);
  assert_int_equal(counts->expired, stats.datagrams_expired_outgoing);
  assert_int_equal(counts->dropped, 0);
  assert_int_equal(counts->longest_delay / 1000, stats.max_datagram_queue_delay_us);
  assert_int_equal(wt_session_send_datagram(session, data, SIZE), 0); /* a fresh one leaves */
  NET_UNTIL(&w.net, 1000, w.peer->rx_datagram_count == stats.datagrams_sent + 1);
  world_free(&w);
}

static void test_datagrams_reach_their_own_session(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  world_start(&w);
  int64_t ids[2];
  struct server_session *sessions[2];
  for (size_t i = 0; i < 2; i++) sessions[i] = server_connect(&w.server, w.peer, "/wt", &ids[i]);
  peer_wt_datagram(w.peer, ids[1], "two", 3);
  peer_wt_datagram(w.peer, ids[0], "one", 3);
  NET_UNTIL(&w.net, 1000, sessions[0]->datagrams == 1 && sessions[1]->datagrams == 1);
  assert_memory_equal(sessions[0]->last_datagram.data, "one", 3);
  assert_memory_equal(sessions[1]->last_datagram.data, "two", 3);
  world_free(&w);
}

static void test_datagrams_for_a_closed_session_are_dropped(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  http_data(w.peer, w.id, NULL, 0, true);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  peer_wt_datagram(w.peer, w.id, "late", 4);
  net_run_for(&w.net, 500);
  assert_int_equal(w.session->datagrams, 0);
  assert_false(w.peer->ended);
  world_free(&w);
}

static void test_datagrams_cut_off_id_closes_the_connection(void **state) {
  (void)state;
  static const struct {
    uint8_t data[8];
    size_t len;
  } cases[] = {{{0}, 0}, {{0x40}, 1}, {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 8}};
  for (size_t i = 0; i < 3; i++) {
    struct world w;
    world_session(&w, "/wt");
    peer_datagram(w.peer, cases[i].data, cases[i].len);
    NET_UNTIL(&w.net, 1000, w.peer->ended);
    assert_true(w.peer->close_is_app);
    assert_int_equal(w.peer->close_code, WT__H3_DATAGRAM_ERROR);
    NET_UNTIL(&w.net, 1000, w.session->closes == 1);
    assert_int_equal(w.session->info.by, WT_TRANSPORT);
    world_free(&w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_datagrams_hundred_of_800_bytes_come_back),
      cmocka_unit_test(test_datagrams_may_be_empty),
      cmocka_unit_test(test_datagrams_largest_fits_and_one_more_is_an_error),
      cmocka_unit_test(test_datagrams_size_obeys_the_clients_limit),
      cmocka_unit_test(test_datagrams_full_queue_drops_the_oldest_and_counts),
      cmocka_unit_test(test_datagrams_that_wait_too_long_are_not_sent),
      cmocka_unit_test(test_datagrams_reach_their_own_session),
      cmocka_unit_test(test_datagrams_for_a_closed_session_are_dropped),
      cmocka_unit_test(test_datagrams_cut_off_id_closes_the_connection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
