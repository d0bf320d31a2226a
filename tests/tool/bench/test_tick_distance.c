/* SPDX-License-Identifier: MIT */
/* How far ticks come from the grid, whatever the clocks say, and whichever tick came earliest. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bench/tick_distance.h"

static struct tick_distances a, b;

static int setup(void **state) {
  (void)state;
  memset(&a, 0, sizeof a);
  memset(&b, 0, sizeof b);
  return 0;
}

static void test_the_earliest_is_in_time(void **state) {
  (void)state;
  tick_distances_add(&a, 5000, true);
  tick_distances_add(&a, 5100, true);
  tick_distances_add(&a, 5300, true);
  assert_int_equal(a.late.count, 3);
  assert_int_equal(a.late.min, 0);
  assert_int_equal(histogram_percentile(&a.late, 50), 100);
  assert_int_equal(a.late.max, 300);
}

static void test_what_was_counted_moves_when_an_earlier_one_comes(void **state) {
  (void)state;
  tick_distances_add(&a, 100, true);
  tick_distances_add(&a, 130, true);
  tick_distances_add(&a, -100, true); /* the server's clock may be ahead of ours */
  assert_int_equal(a.late.min, 0);
  assert_int_equal(histogram_percentile(&a.late, 50), 200);
  assert_int_equal(a.late.max, 230);
  assert_int_equal(a.late.sum, 430);
}

static void test_the_warm_up_tells_the_earliest_and_is_not_counted(void **state) {
  (void)state;
  tick_distances_add(&a, 40, false);
  tick_distances_add(&a, 50, true);
  assert_int_equal(a.late.count, 1);
  assert_int_equal(a.late.min, 10);
}

static void test_workers_are_merged_by_the_earliest_of_all(void **state) {
  struct tick_distances total = {0};
  (void)state;
  tick_distances_merge(&total, &a); /* it saw nothing */
  assert_false(total.any);
  tick_distances_add(&a, 1000, true);
  tick_distances_add(&b, 900, true);
  tick_distances_add(&b, 950, true);
  tick_distances_merge(&total, &a);
  tick_distances_merge(&total, &b);
  assert_int_equal(total.earliest, 900);
  assert_int_equal(total.late.count, 3);
  assert_int_equal(histogram_percentile(&total.late, 50), 50);
  assert_int_equal(total.late.max, 100);
  assert_int_equal(b.late.max, 50); /* it was left as it is */
}

/* The same numbers in any order give the same distances, within what each move costs. */
static void test_the_order_does_not_matter(void **state) {
  (void)state;
  for (int64_t i = 0; i < 1000; i++) {
    tick_distances_add(&a, i * 1000, true);
    tick_distances_add(&b, (1000 - i % 20 * 50 - i / 20 - 1) * 1000, true);
  }
  for (int percent = 10; percent <= 100; percent += 10) {
    double exact = (double)histogram_percentile(&a.late, percent),
           found = (double)histogram_percentile(&b.late, percent);
    assert_true(found >= exact * 0.99 && found <= exact * 1.1);
  }
  assert_int_equal(a.late.max, b.late.max);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_the_earliest_is_in_time, setup),
      cmocka_unit_test_setup(test_what_was_counted_moves_when_an_earlier_one_comes, setup),
      cmocka_unit_test_setup(test_the_warm_up_tells_the_earliest_and_is_not_counted, setup),
      cmocka_unit_test_setup(test_workers_are_merged_by_the_earliest_of_all, setup),
      cmocka_unit_test_setup(test_the_order_does_not_matter, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
