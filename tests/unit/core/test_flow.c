/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow.h"

#define CAP WT__FLOW_MAX_DATA

static void test_flow_is_wanted_with_any_limit(void **state) {
  (void)state;
  assert_false(wt__flow_wanted(&(struct wt__flow_limits){0, {0, 0}}));
  assert_true(wt__flow_wanted(&(struct wt__flow_limits){1, {0, 0}}));
  assert_true(wt__flow_wanted(&(struct wt__flow_limits){0, {1, 0}}));
  assert_true(wt__flow_wanted(&(struct wt__flow_limits){0, {0, 1}}));
}

static void test_flow_out_obeys_the_limit(void **state) {
  struct wt__flow_out out;
  (void)state;
  wt__flow_out_init(&out, 5);
  assert_int_equal(wt__flow_out_room(&out), 5);
  wt__flow_out_use(&out, 3);
  assert_int_equal(wt__flow_out_room(&out), 2);
  wt__flow_out_undo(&out, 1);
  assert_int_equal(wt__flow_out_room(&out), 3);
  wt__flow_out_use(&out, 4); /* never beyond it, whatever the caller says */
  assert_int_equal(wt__flow_out_room(&out), 0);
  wt__flow_out_use(&out, 100);
  assert_int_equal(wt__flow_out_room(&out), 0);
  assert_int_equal(out.used, 5);
  wt__flow_out_undo(&out, 100);
  assert_int_equal(out.used, 0);
}

static void test_flow_out_limit_has_to_increase(void **state) {
  struct wt__flow_out out;
  (void)state;
  wt__flow_out_init(&out, 5);
  assert_false(wt__flow_out_raise(&out, 4));
  assert_false(wt__flow_out_raise(&out, 5));
  assert_true(wt__flow_out_raise(&out, 6));
  assert_int_equal(wt__flow_out_room(&out), 6);
  wt__flow_out_init(&out, 0);
  assert_false(wt__flow_out_raise(&out, 0));
}

static void test_flow_out_tells_once_for_each_limit(void **state) {
  struct wt__flow_out out;
  (void)state;
  wt__flow_out_init(&out, 0);
  assert_true(wt__flow_out_blocked(&out));
  assert_int_equal(out.blocked_at, 0);
  assert_false(wt__flow_out_blocked(&out));
  wt__flow_out_raise(&out, 2);
  assert_false(wt__flow_out_blocked(&out)); /* it is not in the way */
  wt__flow_out_use(&out, 2);
  assert_true(wt__flow_out_blocked(&out));
  assert_int_equal(out.blocked_at, 2);
  assert_false(wt__flow_out_blocked(&out));
}

static void test_flow_in_notices_an_overrun(void **state) {
  struct wt__flow_in in;
  (void)state;
  wt__flow_in_init(&in, 10, 10, CAP, 0, 0);
  assert_true(wt__flow_in_use(&in, 10));
  assert_true(wt__flow_in_use(&in, 0));
  assert_false(wt__flow_in_use(&in, 1));
  assert_false(wt__flow_in_use(&in, UINT64_MAX)); /* no sum wraps around */
  assert_int_equal(in.used, 10);
}

static void test_flow_in_extends_when_half_is_read(void **state) {
  struct wt__flow_in in;
  (void)state;
  wt__flow_in_init(&in, 10, 10, CAP, 0, 0);
  assert_false(wt__flow_in_due(&in));
  assert_true(wt__flow_in_use(&in, 10));
  wt__flow_in_return(&in, 4);
  assert_false(wt__flow_in_due(&in));
  wt__flow_in_return(&in, 1);
  assert_true(wt__flow_in_due(&in));
  assert_int_equal(wt__flow_in_extend(&in, 1000, 0), 15);
  assert_false(wt__flow_in_due(&in));
  wt__flow_in_return(&in, 100); /* no more than was used */
  assert_int_equal(in.returned, 10);
  assert_int_equal(wt__flow_in_extend(&in, 2000, 0), 20);
}

static void test_flow_in_of_one_extends_by_one(void **state) {
  struct wt__flow_in in;
  (void)state;
  wt__flow_in_init(&in, 1, 1, CAP, 0, 0);
  assert_true(wt__flow_in_use(&in, 1));
  assert_false(wt__flow_in_due(&in));
  wt__flow_in_return(&in, 1);
  assert_true(wt__flow_in_due(&in));
  assert_int_equal(wt__flow_in_extend(&in, 1, 0), 2);
}

static void test_flow_in_of_zero_never_moves(void **state) {
  struct wt__flow_in in;
  (void)state;
  wt__flow_in_init(&in, 0, 100, CAP, 0, 0);
  assert_false(wt__flow_in_due(&in));
  assert_true(wt__flow_in_use(&in, 0));
  assert_false(wt__flow_in_use(&in, 1));
  assert_false(wt__flow_in_due(&in));
  wt__flow_in_init(&in, 0, 0, WT__FLOW_MAX_STREAMS, 1, 0);
  assert_false(wt__flow_in_due(&in));
}

/* Streams: a capsule for each that is closed, but only while the peer has less than half of them left. */
static void test_flow_in_by_single_steps_waits_for_half_of_the_window(void **state) {
  struct wt__flow_in in;
  (void)state;
  wt__flow_in_init(&in, 4, 4, WT__FLOW_MAX_STREAMS, 1, 0);
  assert_true(wt__flow_in_use(&in, 1));
  wt__flow_in_return(&in, 1);
  assert_false(wt__flow_in_due(&in)); /* three are left */
  assert_true(wt__flow_in_use(&in, 3));
  assert_true(wt__flow_in_due(&in));
  assert_int_equal(wt__flow_in_extend(&in, 1, 0), 5);
  assert_false(wt__flow_in_due(&in));
  wt__flow_in_return(&in, 1);
  assert_true(wt__flow_in_due(&in));
  assert_int_equal(wt__flow_in_extend(&in, 2, 0), 6);
}

static void test_flow_in_window_doubles_when_used_up_within_two_round_trips(void **state) {
  struct wt__flow_in in;
  (void)state;
  wt__flow_in_init(&in, 100, 350, CAP, 0, 0);
  assert_true(wt__flow_in_use(&in, 50));
  wt__flow_in_return(&in, 50); /* half of it, in exactly one round trip: not faster */
  assert_int_equal(wt__flow_in_extend(&in, 10, 10), 150);
  assert_int_equal(in.window, 100);
  assert_true(wt__flow_in_use(&in, 50));
  wt__flow_in_return(&in, 50);
  assert_int_equal(wt__flow_in_extend(&in, 19, 10), 300);
  assert_int_equal(in.window, 200);
  assert_true(wt__flow_in_use(&in, 200));
  wt__flow_in_return(&in, 200);
  assert_int_equal(wt__flow_in_extend(&in, 20, 10), 650);
  assert_int_equal(in.window, 350); /* its maximum */
  assert_true(wt__flow_in_use(&in, 350));
  wt__flow_in_return(&in, 350);
  assert_int_equal(wt__flow_in_extend(&in, 21, 10), 1000);
  assert_int_equal(in.window, 350);
}

/* It doubles as long as twice of it is within the maximum. */
static void test_flow_in_window_doubles_up_to_its_maximum(void **state) {
  static const uint64_t windows[][2] = {{33, 66}, {34, 68}, {49, 98}, {50, 100}, {51, 100}, {99, 100}, {100, 100}};
  (void)state;
  for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
    struct wt__flow_in in;
    wt__flow_in_init(&in, windows[i][0], 100, 1000000, 0, 0);
    assert_true(wt__flow_in_use(&in, windows[i][0]));
    wt__flow_in_return(&in, windows[i][0]);
    assert_int_equal(wt__flow_in_extend(&in, 1, 1000), windows[i][0] + windows[i][1]);
    assert_int_equal(in.window, windows[i][1]);
  }
}

static void test_flow_in_window_doubles_up_to_an_odd_maximum(void **state) {
  struct wt__flow_in in;
  (void)state;
  wt__flow_in_init(&in, 50, 101, CAP, 0, 0);
  assert_true(wt__flow_in_use(&in, 50));
  wt__flow_in_return(&in, 50);
  assert_int_equal(wt__flow_in_extend(&in, 1, 1000), 150);
  assert_int_equal(in.window, 100);
  assert_true(wt__flow_in_use(&in, 100));
  wt__flow_in_return(&in, 100);
  assert_int_equal(wt__flow_in_extend(&in, 2, 1000), 251);
  assert_int_equal(in.window, 101);
}

static void test_flow_in_window_stays_without_a_round_trip_time(void **state) {
  struct wt__flow_in in;
  (void)state;
  wt__flow_in_init(&in, 100, 1000, CAP, 0, 0);
  assert_true(wt__flow_in_use(&in, 100));
  wt__flow_in_return(&in, 100);
  assert_int_equal(wt__flow_in_extend(&in, 0, 0), 200);
  assert_int_equal(in.window, 100);
}

static void test_flow_in_never_passes_its_cap(void **state) {
  struct wt__flow_in in;
  (void)state;
  wt__flow_in_init(&in, 8, 8, 10, 0, 0);
  assert_true(wt__flow_in_use(&in, 8));
  wt__flow_in_return(&in, 8);
  assert_false(wt__flow_in_due(&in)); /* only 2 more: less than a step */
  wt__flow_in_init(&in, 8, 8, 10, 1, 0);
  assert_true(wt__flow_in_use(&in, 8));
  wt__flow_in_return(&in, 8);
  assert_true(wt__flow_in_due(&in));
  assert_int_equal(wt__flow_in_extend(&in, 1, 0), 10);
  assert_true(wt__flow_in_use(&in, 2));
  wt__flow_in_return(&in, 2);
  assert_false(wt__flow_in_due(&in));
  wt__flow_in_init(&in, UINT64_MAX, UINT64_MAX, CAP, 0, 0);
  assert_int_equal(in.max, CAP);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flow_is_wanted_with_any_limit),
      cmocka_unit_test(test_flow_out_obeys_the_limit),
      cmocka_unit_test(test_flow_out_limit_has_to_increase),
      cmocka_unit_test(test_flow_out_tells_once_for_each_limit),
      cmocka_unit_test(test_flow_in_notices_an_overrun),
      cmocka_unit_test(test_flow_in_extends_when_half_is_read),
      cmocka_unit_test(test_flow_in_of_one_extends_by_one),
      cmocka_unit_test(test_flow_in_of_zero_never_moves),
      cmocka_unit_test(test_flow_in_by_single_steps_waits_for_half_of_the_window),
      cmocka_unit_test(test_flow_in_window_doubles_when_used_up_within_two_round_trips),
      cmocka_unit_test(test_flow_in_window_doubles_up_to_its_maximum),
      cmocka_unit_test(test_flow_in_window_doubles_up_to_an_odd_maximum),
      cmocka_unit_test(test_flow_in_window_stays_without_a_round_trip_time),
      cmocka_unit_test(test_flow_in_never_passes_its_cap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
