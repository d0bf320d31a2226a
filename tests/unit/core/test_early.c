/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mux_fixture.h"

static void test_early_streams_are_delivered_once_the_session_is_there(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_stream *s = wt__mux_stream_new_remote(&f.mux, 2, true, 0, 0);
  wt__stream_recv(s, (const uint8_t *)"early", 5, true);
  wt__stream_closed(s); /* a short stream can be over before its session begins */
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "");
  assert_int_equal(f.consumed, 0);
  fixture_session(&f, 0);
  EXPECT_APP(&f, "stream 2 of 0; data 2 'early' fin; closed 2; ");
  assert_int_equal(f.consumed, 5);
  fixture_end(&f);
}

static void test_early_streams_are_bounded_and_later_ones_still_work(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  assert_non_null(wt__mux_stream_new_remote(&f.mux, 2, true, 0, 0));
  assert_non_null(wt__mux_stream_new_remote(&f.mux, 6, true, 0, 0));
  assert_null(wt__mux_stream_new_remote(&f.mux, 4, false, 0, 0));
  EXPECT_WIRE(&f, "reset 4 3994bd84; stop 4 3994bd84; ");
  fixture_session(&f, 0);
  EXPECT_APP(&f, "stream 2 of 0; stream 6 of 0; ");
  assert_non_null(wt__mux_stream_new_remote(&f.mux, 10, true, 0, 0));
  EXPECT_APP(&f, "stream 10 of 0; ");
  fixture_end(&f);
}

static void test_early_takes_all_streams_of_a_session_that_is_about_to_begin(void **state) {
  struct mux_fixture f;
  struct wt__session_params params = {
      .path = "/", .protocol = "", .peer_address = "", .draft = 15, .callbacks = &session_app};
  wt_session *session;
  (void)state;
  fixture_init(&f);
  params.user_data = &f;
  assert_int_equal(wt__mux_session_new(&f.mux, 0, &params, &session), 0);
  for (int64_t id = 3; id < 3 + 4 * 4; id += 4) assert_non_null(wt__mux_stream_new_remote(&f.mux, id, true, 0, 0));
  EXPECT_APP(&f, "");
  wt__mux_run(&f.mux, 0);
  EXPECT_WIRE(&f, "");
  EXPECT_APP(&f, "stream 3 of 0; stream 7 of 0; stream 11 of 0; stream 15 of 0; ");
  fixture_end(&f);
}

static void test_early_streams_that_grow_old_are_refused(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_stream *s = wt__mux_stream_new_remote(&f.mux, 2, true, 0, 100 * MS);
  wt__stream_recv(s, (const uint8_t *)"early", 5, false);
  assert_int_equal(wt__mux_expiry(&f.mux), 5100 * MS);
  wt__mux_run(&f.mux, 5099 * MS);
  EXPECT_WIRE(&f, "");
  wt__mux_run(&f.mux, 5100 * MS);
  EXPECT_WIRE(&f, "stop 2 3994bd84; ");
  assert_int_equal(f.consumed, 5); /* the connection's window is not lost */
  assert_int_equal(wt__mux_expiry(&f.mux), UINT64_MAX);
  wt__stream_recv(s, (const uint8_t *)"more", 4, true);
  assert_int_equal(f.consumed, 9);
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 5200 * MS);
  fixture_end(&f);
}

static void test_early_datagrams_are_delivered_bounded_and_expire(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt__mux_recv_datagram(&f.mux,
                        (const uint8_t *)"\x00"
                                         "a",
                        2, 0);
  wt__mux_recv_datagram(&f.mux,
                        (const uint8_t *)"\x00"
                                         "b",
                        2, 0);
  wt__mux_recv_datagram(&f.mux,
                        (const uint8_t *)"\x00"
                                         "c",
                        2, 0);
  fixture_session(&f, 0);
  EXPECT_APP(&f, "datagram 0 'a'; datagram 0 'b'; ");
  wt__mux_recv_datagram(&f.mux, (const uint8_t *)"\x00", 1, 0);
  EXPECT_APP(&f, "datagram 0 ''; ");
  wt__mux_recv_datagram(&f.mux,
                        (const uint8_t *)"\x05"
                                         "x",
                        2, 0);
  wt__mux_run(&f.mux, 5000 * MS);
  fixture_session(&f, 20);
  EXPECT_APP(&f, "");
  wt__mux_recv_datagram(&f.mux, (const uint8_t *)"", 0, 0);
  EXPECT_WIRE(&f, "close 33; ");
  fixture_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_early_streams_are_delivered_once_the_session_is_there),
      cmocka_unit_test(test_early_streams_are_bounded_and_later_ones_still_work),
      cmocka_unit_test(test_early_takes_all_streams_of_a_session_that_is_about_to_begin),
      cmocka_unit_test(test_early_streams_that_grow_old_are_refused),
      cmocka_unit_test(test_early_datagrams_are_delivered_bounded_and_expire),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
