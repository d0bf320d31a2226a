/* SPDX-License-Identifier: MIT */
/*
 * What a server measures for its metrics, by a clock that the test sets: handshakes, answers to requests for sessions, the
 * lives of sessions, round-trip times.
 */
#include "core/measures.h"

#include "base/clock.h"
#include "world.h"

static struct wt__measures measures;

static void measures_world(struct world *w) {
  world_init(w, 1);
  wt__measures_init(&measures);
  w->server.config.h3.mux.measures = &measures;
  world_start(w);
  NET_UNTIL(&w->net, 1000, w->peer->control >= 0);
  net_run_for(&w->net, 50);
}

static uint64_t count_of(const struct wt__histogram *histogram) {
  uint64_t sum = 0;
  for (unsigned i = 0; i <= WT__HISTOGRAM_BOUNDS; i++) sum += histogram->counts[i];
  return sum;
}

static void assert_ms(uint64_t ns, uint64_t least, uint64_t most) { assert_in_range(ns / WT__NS_PER_MS, least, most); }

static void test_measures_an_answer_that_comes_late(void **state) {
  struct world w;
  (void)state;
  measures_world(&w);
  assert_int_equal(count_of(&measures.handshake), 1);
  int64_t id = http_connect(w.peer, "webtransport", "/later", NULL, NULL);
  NET_UNTIL(&w.net, 1000, server_request(&w.server, 0));
  net_run_for(&w.net, 300); /* no packet comes: the connection's own time stands still */
  assert_int_equal(count_of(&measures.accept), 0);
  assert_int_equal(server_upgrade(server_request(&w.server, 0)), 0);
  NET_UNTIL(&w.net, 1000, http_status(w.peer, id) == 200);
  assert_int_equal(count_of(&measures.accept), 1);
  assert_ms(measures.accept.sum, 290, 310);
  assert_int_equal(measures.answers[2], 1);
  server_stop(&w.server);
  assert_ms(measures.session.sum, 0, 100); /* without the wait before it */
  world_free(&w);
}

static void test_measures_refusals(void **state) {
  struct world w;
  (void)state;
  measures_world(&w);
  int64_t id = http_connect(w.peer, "webtransport", "/nowhere", NULL, NULL);
  NET_UNTIL(&w.net, 1000, http_status(w.peer, id) == 404);
  assert_int_equal(count_of(&measures.accept), 1);
  id = http_request(w.peer, "GET", "/hello", NULL, true);
  NET_UNTIL(&w.net, 1000, http_status(w.peer, id) == 200);
  assert_int_equal(count_of(&measures.accept), 1); /* it asked for no session */
  assert_int_equal(measures.answers[2], 1);
  assert_int_equal(measures.answers[4], 1);
  assert_int_equal(count_of(&measures.session), 0);
  world_free(&w);
}

static void test_measures_the_life_of_a_session(void **state) {
  struct world w;
  struct bytes close = {0};
  int64_t id;
  (void)state;
  measures_world(&w);
  struct server_session *session = server_connect(&w.server, w.peer, "/wt", &id);
  net_run_for(&w.net, 2000);
  capsule_close(&close, 3, "done");
  http_data(w.peer, id, close.data, close.len, true);
  NET_UNTIL(&w.net, 1000, session->closes);
  assert_int_equal(measures.ended[session->draft][WT_CAUSE_PEER], 1);
  assert_int_equal(measures.accepted[session->draft][WT__BROWSER_NONE], 1);
  assert_int_equal(count_of(&measures.session), 1);
  assert_ms(measures.session.sum, 1990, 2300);
  bytes_free(&close);
  world_free(&w);
}

static void test_measures_the_end_of_a_connection(void **state) {
  struct world w;
  int64_t id;
  (void)state;
  measures_world(&w);
  struct server_session *session = server_connect(&w.server, w.peer, "/wt", &id);
  int draft = session->draft;
  assert_int_equal(count_of(&measures.round_trip), 0);
  server_stop(&w.server);
  assert_int_equal(count_of(&measures.round_trip), 1);
  assert_true(measures.round_trip.sum > 0);
  assert_int_equal(measures.ended[draft][WT_CAUSE_LOCAL], 1);
  assert_int_equal(count_of(&measures.session), 1);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_measures_an_answer_that_comes_late),
      cmocka_unit_test(test_measures_refusals),
      cmocka_unit_test(test_measures_the_life_of_a_session),
      cmocka_unit_test(test_measures_the_end_of_a_connection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
