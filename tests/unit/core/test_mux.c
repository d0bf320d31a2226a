/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mux_fixture.h"

static void test_mux_refuses_streams_of_refused_and_closed_sessions(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  assert_non_null(wt__mux_stream_new_remote(&f.mux, 2, true, 0, 0));
  wt__mux_session_refused(&f.mux, 0);
  EXPECT_WIRE(&f, "stop 2 3994bd84; ");
  assert_null(wt__mux_stream_new_remote(&f.mux, 6, true, 0, 0));
  EXPECT_WIRE(&f, "stop 6 3994bd84; ");
  wt_session *session = fixture_session(&f, 4);
  wt__session_recv_fin(session);
  assert_null(wt__mux_stream_new_remote(&f.mux, 10, true, 4, 0));
  EXPECT_WIRE(&f, "stop 10 3994bd84; ");
  fixture_end(&f);
}

static wt_session *closing;
static void close_session_of(wt_session *session, wt_stream *stream, void *ud) {
  app_stream(session, stream, ud);
  wt_session_close(closing, 3, NULL, 0);
}

static void test_mux_survives_a_close_inside_on_stream(void **state) {
  struct mux_fixture f;
  struct wt_session_callbacks callbacks = session_app;
  (void)state;
  fixture_init(&f);
  callbacks.on_stream = close_session_of;
  closing = fixture_session(&f, 0);
  wt_session_set_callbacks(closing, &callbacks, &f);
  wt_stream *s = wt__mux_stream_new_remote(&f.mux, 2, true, 0, 0);
  wt__stream_recv(s, (const uint8_t *)"x", 1, true);
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "stream 2 of 0; closed 2 gone local 3; session 0 local 3 ''; ");
  fixture_end(&f);
}

static void test_mux_without_on_stream_refuses_streams_of_the_peer(void **state) {
  struct mux_fixture f;
  struct wt_session_callbacks none = {.size = sizeof(none)};
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt_session_set_callbacks(session, &none, NULL);
  wt_stream *s = wt__mux_stream_new_remote(&f.mux, 4, false, 0, 0);
  EXPECT_WIRE(&f, "stop 4 52e4a40fa8db; reset 4 52e4a40fa8db; ");
  wt__stream_recv(s, (const uint8_t *)"x", 1, false);
  assert_int_equal(f.consumed, 1);
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 1);
  fixture_end(&f);
}

static void test_mux_memory_is_flat_over_many_streams_and_sessions(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  for (int64_t round = 0; round < 300; round++) {
    wt_session *session = fixture_session(&f, round * 4);
    for (int64_t i = 0; i < 10; i++) {
      wt_stream *s = wt__mux_stream_new_remote(&f.mux, (round * 10 + i) * 4 + 2, true, round * 4, 0);
      wt__stream_recv(s, (const uint8_t *)"x", 1, true);
      wt__stream_closed(s);
      wt__mux_run(&f.mux, 1);
    }
    wt__session_recv_fin(session);
    wt__session_sent(session, 0, true);
    wt__session_connect_closed(session);
    wt__mux_run(&f.mux, 2);
    f.app[0] = f.wire[0] = 0;
  }
  assert_true(wt__mem_live() <= 2); /* the map's slots at most, and what is remembered of sessions that are over */
  fixture_end(&f);
}

static void test_mux_datagrams_are_bounded_and_drop_the_oldest(void **state) {
  struct mux_fixture f;
  struct wt__vec d;
  struct wt_session_stats stats = {.size = sizeof(stats)};
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 4);
  for (char c = 'a'; c < 'f'; c++) assert_int_equal(wt_session_send_datagram(session, &c, 1), 0);
  for (char c = 'c'; c < 'f'; c++) {
    assert_true(wt__mux_next_datagram(&f.mux, &d));
    assert_int_equal(d.len, 2);
    assert_int_equal(d.data[0], 1); /* quarter stream id */
    assert_int_equal(d.data[1], c);
    wt__mux_datagram_done(&f.mux, true);
  }
  assert_false(wt__mux_next_datagram(&f.mux, &d));
  wt_session_get_stats(session, &stats);
  assert_int_equal(stats.datagrams_sent, 3);
  assert_int_equal(stats.datagrams_dropped_outgoing, 2);
  fixture_end(&f);
}

static void test_mux_datagram_size_is_checked(void **state) {
  struct mux_fixture f;
  uint8_t data[1300] = {0};
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  assert_int_equal(wt_session_max_datagram_size(session), 1199);
  assert_int_equal(wt_session_send_datagram(session, data, 1199), 0);
  assert_int_equal(wt_session_send_datagram(session, data, 1200), WT_ERR_TOO_LARGE);
  f.max_datagram = 0;
  assert_int_equal(wt_session_max_datagram_size(session), 0);
  assert_int_equal(wt_session_send_datagram(session, data, 1), WT_ERR_UNSUPPORTED);
  wt_session_close(session, 0, NULL, 0);
  assert_int_equal(wt_session_send_datagram(session, data, 1), WT_ERR_CLOSED);
  struct wt__vec d;
  assert_false(wt__mux_next_datagram(&f.mux, &d)); /* what waited went with the session */
  fixture_end(&f);
}

static unsigned mux_asked;

static bool never_has_time(void *ctx, bool light) {
  (void)ctx;
  assert_true(light);
  mux_asked++;
  return false;
}

/* Each run does one thing then, and says that there is more; the order is as ever. */
static void test_mux_run_leaves_work_when_time_is_up(void **state) {
  struct mux_fixture f;
  struct wt_transport transport = fake_transport;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  transport.has_time = never_has_time;
  f.mux.transport = &transport;
  wt_stream *streams[3];
  for (int i = 0; i < 3; i++) streams[i] = wt__mux_stream_new_remote(&f.mux, 2 + 4 * i, true, 0, 0);
  wt__mux_run(&f.mux, 1);
  while (wt__mux_has_todo(&f.mux)) wt__mux_run(&f.mux, 1);
  f.app[0] = '\0';
  for (int i = 0; i < 3; i++) {
    wt__stream_recv(streams[i], NULL, 0, true);
    wt__stream_closed(streams[i]);
  }
  f.app[0] = '\0';
  mux_asked = 0;
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "closed 2; ");
  assert_true(wt__mux_has_todo(&f.mux));
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "closed 6; ");
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "closed 10; ");
  while (wt__mux_has_todo(&f.mux)) wt__mux_run(&f.mux, 1);
  unsigned asked = mux_asked;
  wt__mux_run(&f.mux, 1); /* nothing to do: the clock is not read */
  assert_int_equal(mux_asked, asked);
  f.mux.transport = &fake_transport;
  fixture_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mux_refuses_streams_of_refused_and_closed_sessions),
      cmocka_unit_test(test_mux_survives_a_close_inside_on_stream),
      cmocka_unit_test(test_mux_without_on_stream_refuses_streams_of_the_peer),
      cmocka_unit_test(test_mux_memory_is_flat_over_many_streams_and_sessions),
      cmocka_unit_test(test_mux_datagrams_are_bounded_and_drop_the_oldest),
      cmocka_unit_test(test_mux_datagram_size_is_checked),
      cmocka_unit_test(test_mux_run_leaves_work_when_time_is_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
