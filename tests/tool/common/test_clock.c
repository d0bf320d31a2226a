/* SPDX-License-Identifier: MIT */
/* The units of time: what is converted keeps its value, and a short time does not become "no limit". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/clock.h"

static void test_a_short_time_becomes_a_millisecond(void **state) {
  (void)state;
  assert_int_equal(clock_ms_up(0), 0);
  assert_int_equal(clock_ms_up(1), 1);
  assert_int_equal(clock_ms_up(NS_PER_MS), 1);
  assert_int_equal(clock_ms_up(NS_PER_MS + 1), 2);
  assert_int_equal(clock_ms_up(NS_PER_DAY), 86400000);
}

static void test_a_timespec_has_seconds_and_their_rest(void **state) {
  (void)state;
  struct timespec time = clock_timespec(3 * NS_PER_S + 5);
  assert_int_equal(time.tv_sec, 3);
  assert_int_equal(time.tv_nsec, 5);
  time = clock_timespec(NS_PER_S - 1);
  assert_int_equal(time.tv_sec, 0);
  assert_int_equal(time.tv_nsec, NS_PER_S - 1);
}

static void test_the_clock_does_not_go_back(void **state) {
  (void)state;
  uint64_t before = clock_ns();
  int64_t ms = clock_ms();
  assert_true(ms >= (int64_t)(before / NS_PER_MS));
  assert_true(clock_ns() >= before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_short_time_becomes_a_millisecond),
      cmocka_unit_test(test_a_timespec_has_seconds_and_their_rest),
      cmocka_unit_test(test_the_clock_does_not_go_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
