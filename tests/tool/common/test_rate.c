/* SPDX-License-Identifier: MIT */
/* The limit on bytes per second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/rate.h"

static void test_a_full_bucket_has_a_second(void **state) {
  struct rate rate = {0};
  (void)state;
  assert_int_equal(rate_room(&rate, 1000, 5000, 4000), 1000);
  rate_take(&rate, 1000, 1000);
  assert_int_equal(rate_room(&rate, 1000, 5000, 4000), 0);
  assert_int_equal(rate_room(&rate, 1000, 5100, 4000), 100);
  assert_int_equal(rate_room(&rate, 1000, 5100, 40), 40);
  assert_int_equal(rate_room(&rate, 1000, 6100, 4000), 1000);
}

/* Asking often must not lose the parts of bytes. */
static void test_many_questions_lose_nothing(void **state) {
  struct rate rate = {0};
  (void)state;
  (void)rate_room(&rate, 300, 1000, 300);
  rate_take(&rate, 300, 300);
  size_t room = 0;
  for (uint64_t now = 1000; now <= 1900; now++) room = rate_room(&rate, 300, now, 300);
  assert_true(room >= 200); /* 270 but for rounding */
  assert_int_equal(rate_room(&rate, 300, 2900, 300), 300);
}

static void test_zero_is_no_limit(void **state) {
  struct rate rate = {0};
  (void)state;
  rate_take(&rate, 0, 1000000);
  assert_int_equal(rate_room(&rate, 0, 1, 123456), 123456);
  assert_int_equal(rate.missing, 0);
}

static void test_a_limit_may_change(void **state) {
  struct rate rate = {0};
  (void)state;
  (void)rate_room(&rate, 10000, 1000, 10000);
  rate_take(&rate, 10000, 10000);
  assert_int_equal(rate_room(&rate, 100, 1000, 50), 0); /* more is missing than fits: no room, and no overflow */
  assert_int_equal(rate_room(&rate, 100, 2000, 500), 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_full_bucket_has_a_second),
      cmocka_unit_test(test_many_questions_lose_nothing),
      cmocka_unit_test(test_zero_is_no_limit),
      cmocka_unit_test(test_a_limit_may_change),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
