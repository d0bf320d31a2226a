/* SPDX-License-Identifier: MIT */

/* A server that another process has taken over from: it takes no new connections, and sends away those that are idle. */

#include "world.h"

/* Whether the server's control stream has a GOAWAY frame. */
static bool has_goaway(struct world *w) {
  const struct peer_stream *control = peer_stream(w->peer, 3);
  for (size_t i = 0; control && i + 1 < control->rx_len; i++) {
    if (control->rx[i] == 0x07 && i > 2) return true;
  }
  return false;
}

static void round_run(struct world *w) {
  wt__endpoint_retire(w->server.endpoint, w->net.now);
  net_run_for(&w->net, 100);
}

static void test_retire_sends_idle_connections_away(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  world_start(&w);
  net_run_for(&w.net, 100);
  round_run(&w);
  size_t before = peer_stream(w.peer, 3)->rx_len; /* a request might have been on its way */
  round_run(&w);
  assert_true(peer_stream(w.peer, 3)->rx_len > before);
  assert_true(has_goaway(&w));
  assert_false(w.peer->close_received);
  round_run(&w);
  assert_false(w.peer->close_received);
  round_run(&w);
  assert_true(w.peer->close_received);
  assert_true(w.peer->close_is_app);
  assert_int_equal(w.peer->close_code, WT__H3_NO_ERROR);
  world_free(&w);
}

static void test_retire_leaves_sessions_alone(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  size_t before = peer_stream(w.peer, 3)->rx_len;
  for (int i = 0; i < 6; i++) round_run(&w);
  assert_int_equal(peer_stream(w.peer, 3)->rx_len, before);
  assert_int_equal(w.session->closes + w.session->drains, 0);
  int64_t id = peer_wt_open(w.peer, false, w.id, "on", 2, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
  assert_true(wt__endpoint_is_idle(w.server.endpoint) == false);
  world_free(&w);
}

/* New connections are refused, and not any more when the new process has died. */
static void test_retire_refuses_new_connections(void **state) {
  (void)state;
  struct world w;
  struct wt__endpoint_stats stats;
  world_init(&w, 1);
  world_start(&w);
  wt__endpoint_refuse(w.server.endpoint, true);
  struct peer *late = peer_new(&w.net, &w.peer->server, &w.options);
  NET_UNTIL(&w.net, 5000, late->close_received);
  assert_false(late->close_is_app);
  assert_int_equal(late->close_code, NGTCP2_CONNECTION_REFUSED);
  peer_free(late);
  wt__endpoint_refuse(w.server.endpoint, false);
  late = peer_new(&w.net, &w.peer->server, &w.options);
  NET_UNTIL(&w.net, 5000, late->handshake_done);
  wt__endpoint_get_stats(w.server.endpoint, &stats);
  assert_int_equal(stats.connections_open, 2);
  peer_free(late);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_retire_sends_idle_connections_away),
      cmocka_unit_test(test_retire_leaves_sessions_alone),
      cmocka_unit_test(test_retire_refuses_new_connections),
  };
  return cmocka_run_group_tests_name("retire", tests, NULL, NULL);
}
