/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rate.h"

#define SECOND UINT64_C(1000000000)

/* How often it may happen now. */
static uint64_t drain(struct wt__rate *rate, uint64_t now) {
  uint64_t taken = 0;
  while (wt__rate_take(rate, now)) taken++;
  return taken;
}

static void test_rate_begins_with_the_burst(void **state) {
  struct wt__rate rate;
  (void)state;
  wt__rate_init(&rate, 10, 3, 5 * SECOND);
  assert_int_equal(drain(&rate, 5 * SECOND), 3);
  assert_int_equal(drain(&rate, 5 * SECOND), 0);
}

static void test_rate_comes_back_with_time(void **state) {
  struct wt__rate rate;
  (void)state;
  wt__rate_init(&rate, 10, 3, 0);
  drain(&rate, 0);
  assert_false(wt__rate_take(&rate, SECOND / 10 - 1));
  assert_true(wt__rate_take(&rate, SECOND / 10));
  assert_false(wt__rate_take(&rate, SECOND / 10));
  assert_int_equal(drain(&rate, SECOND / 10 + SECOND / 5), 2);
  assert_int_equal(drain(&rate, 60 * SECOND), 3); /* no more than the burst */
}

/* Asked every nanosecond or once: the same. */
static void test_rate_is_not_rounded(void **state) {
  struct wt__rate rate;
  uint64_t taken = 0;
  (void)state;
  wt__rate_init(&rate, 7, 7, 0);
  drain(&rate, 0);
  for (uint64_t now = 0; now <= 3 * SECOND; now += 99991) taken += drain(&rate, now);
  assert_int_equal(taken + drain(&rate, 3 * SECOND), 21);
}

static void test_rate_of_nothing(void **state) {
  struct wt__rate rate;
  (void)state;
  wt__rate_init(&rate, 0, 2, 0);
  assert_int_equal(drain(&rate, 0), 2);
  assert_int_equal(drain(&rate, UINT64_MAX), 0);
  wt__rate_init(&rate, 10, 0, 0);
  assert_int_equal(drain(&rate, UINT64_MAX), 0);
}

static void test_rate_clock_that_goes_back(void **state) {
  struct wt__rate rate;
  (void)state;
  wt__rate_init(&rate, 1, 2, 10 * SECOND);
  assert_true(wt__rate_take(&rate, SECOND));
  assert_true(wt__rate_take(&rate, 10 * SECOND));
  assert_false(wt__rate_take(&rate, SECOND));
  assert_true(wt__rate_take(&rate, 11 * SECOND));
}

static void test_rate_extremes_do_not_overflow(void **state) {
  struct wt__rate rate;
  (void)state;
  wt__rate_init(&rate, UINT64_MAX, UINT64_MAX, 0);
  assert_int_equal(rate.per_second, WT__RATE_MAX);
  assert_int_equal(rate.burst, WT__RATE_MAX);
  for (int i = 0; i < 1000; i++) assert_true(wt__rate_take(&rate, 0));
  assert_true(wt__rate_take(&rate, UINT64_MAX));
  assert_true(rate.credit == (WT__RATE_MAX - 1) * SECOND);
  wt__rate_init(&rate, 1, WT__RATE_MAX, 0);
  rate.credit = 0;
  assert_false(wt__rate_take(&rate, SECOND - 1));
  assert_int_equal(drain(&rate, 1000 * SECOND), 1000);
}

static void test_rate_has_takes_nothing(void **state) {
  (void)state;
  struct wt__rate rate;
  wt__rate_init(&rate, 1, 1, 0);
  for (int i = 0; i < 3; i++) assert_true(wt__rate_has(&rate, 0));
  assert_true(wt__rate_take(&rate, 0));
  assert_false(wt__rate_has(&rate, 999999999));
  assert_true(wt__rate_has(&rate, 1000000000));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rate_begins_with_the_burst), cmocka_unit_test(test_rate_comes_back_with_time),
      cmocka_unit_test(test_rate_is_not_rounded),        cmocka_unit_test(test_rate_of_nothing),
      cmocka_unit_test(test_rate_clock_that_goes_back),  cmocka_unit_test(test_rate_extremes_do_not_overflow),
      cmocka_unit_test(test_rate_has_takes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
