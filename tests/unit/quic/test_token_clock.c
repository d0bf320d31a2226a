/* SPDX-License-Identifier: MIT */

/* src/quic/token_clock.c: what the clock showed before somebody set it, and for how long that counts. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "quic/token.h"
#include "quic/token_clock.h"

#define S WT__NS_PER_S
#define DAY (20000 * 86400 * S)

static void test_token_clock_adjustments_are_no_steps(void **state) {
  (void)state;
  struct wt__token_clock clock = {.began = false};
  uint64_t wall;
  assert_int_equal(wt__token_clock_read(&clock, DAY, 100 * S), DAY);
  assert_false(wt__token_clock_before(&clock, 100 * S, &wall));
  for (uint64_t i = 1; i < 100; i++) { /* half a second in each second, forth and back */
    uint64_t now = (100 + i) * S, off = i % 2 ? S / 2 : 0;
    assert_int_equal(wt__token_clock_read(&clock, DAY + i * S + off, now), DAY + i * S + off);
    assert_false(wt__token_clock_before(&clock, now, &wall));
  }
}

static void test_token_clock_remembers_a_step_as_long_as_a_retry_lives(void **state) {
  (void)state;
  static const int64_t steps[] = {3600, -3600, 2, -2};
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    struct wt__token_clock clock = {.began = false};
    uint64_t wall = 0, set = DAY + (uint64_t)steps[i] * S;
    (void)wt__token_clock_read(&clock, DAY, 100 * S);
    assert_int_equal(wt__token_clock_read(&clock, set + S, 101 * S), set + S);
    assert_true(wt__token_clock_before(&clock, 101 * S, &wall));
    assert_int_equal(wall, DAY + S);
    uint64_t end = 101 * S + WT__TOKEN_RETRY_LIFETIME + WT__TOKEN_CLOCK_TOLERANCE;
    assert_true(wt__token_clock_before(&clock, end - 1, &wall));
    assert_false(wt__token_clock_before(&clock, end, &wall));
    (void)wt__token_clock_read(&clock, set + 2 * S, 102 * S); /* no second step */
    assert_false(wt__token_clock_before(&clock, end, &wall));
  }
}

/* Where the time of day is before the monotonic clock, as on a machine without a battery. */
static void test_token_clock_of_1970(void **state) {
  (void)state;
  struct wt__token_clock clock = {.began = false};
  uint64_t wall;
  (void)wt__token_clock_read(&clock, 5 * S, 1000 * S);
  assert_int_equal(wt__token_clock_read(&clock, DAY, 1001 * S), DAY);
  assert_true(wt__token_clock_before(&clock, 1001 * S, &wall));
  assert_int_equal(wall, 6 * S);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_token_clock_adjustments_are_no_steps),
      cmocka_unit_test(test_token_clock_remembers_a_step_as_long_as_a_retry_lives),
      cmocka_unit_test(test_token_clock_of_1970),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
