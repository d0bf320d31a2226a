/* SPDX-License-Identifier: MIT */
/* Which messages of a publisher came, which were overtaken, and which came twice. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bench/arrivals.h"

static void test_messages_in_order_are_new(void **state) {
  struct arrivals arrivals = {0};
  (void)state;
  for (uint64_t number = 0; number < 200; number++) assert_int_equal(arrivals_add(&arrivals, number), ARRIVAL_NEW);
}

static void test_each_of_the_last_64_is_known(void **state) {
  struct arrivals arrivals = {0};
  (void)state;
  assert_int_equal(arrivals_add(&arrivals, 1000), ARRIVAL_NEW);
  for (uint64_t number = 1000 - 63; number < 1000; number++) {
    assert_int_equal(arrivals_add(&arrivals, number), ARRIVAL_OVERTAKEN);
    assert_int_equal(arrivals_add(&arrivals, number), ARRIVAL_AGAIN);
  }
  assert_int_equal(arrivals_add(&arrivals, 1000), ARRIVAL_AGAIN);
}

static void test_an_older_one_counts_as_overtaken(void **state) {
  struct arrivals arrivals = {0};
  (void)state;
  arrivals_add(&arrivals, 64);
  assert_int_equal(arrivals_add(&arrivals, 0), ARRIVAL_OVERTAKEN);
  assert_int_equal(arrivals_add(&arrivals, 0), ARRIVAL_OVERTAKEN);
}

static void test_a_gap_of_any_width_forgets_what_is_behind_it(void **state) {
  (void)state;
  for (uint64_t gap = 1; gap < 130; gap++) {
    struct arrivals arrivals = {0};
    arrivals_add(&arrivals, 0);
    assert_int_equal(arrivals_add(&arrivals, gap), ARRIVAL_NEW);
    assert_int_equal(arrivals_add(&arrivals, 0), gap < 64 ? ARRIVAL_AGAIN : ARRIVAL_OVERTAKEN);
    if (gap > 1) assert_int_equal(arrivals_add(&arrivals, gap - 1), ARRIVAL_OVERTAKEN);
  }
}

static void test_the_highest_number(void **state) {
  struct arrivals arrivals = {0};
  (void)state;
  assert_int_equal(arrivals_add(&arrivals, UINT64_MAX - 1), ARRIVAL_NEW);
  assert_int_equal(arrivals_add(&arrivals, UINT64_MAX - 1), ARRIVAL_AGAIN);
  assert_int_equal(arrivals_add(&arrivals, 5), ARRIVAL_OVERTAKEN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_messages_in_order_are_new),
      cmocka_unit_test(test_each_of_the_last_64_is_known),
      cmocka_unit_test(test_an_older_one_counts_as_overtaken),
      cmocka_unit_test(test_a_gap_of_any_width_forgets_what_is_behind_it),
      cmocka_unit_test(test_the_highest_number),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
