/* SPDX-License-Identifier: MIT */
/* The histogram of latencies: exact below 512, within 1/256 above, and the same whether merged or not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bench/histogram.h"

#define LARGEST ((UINT64_C(1) << HISTOGRAM_TOP) - 1)

static struct histogram a, b, all;

static void clear(void) {
  memset(&a, 0, sizeof a);
  memset(&b, 0, sizeof b);
  memset(&all, 0, sizeof all);
}

static void test_empty_has_nothing(void **state) {
  (void)state;
  clear();
  assert_int_equal(histogram_percentile(&a, 50), 0);
  assert_int_equal(histogram_percentile(&a, 100), 0);
  assert_true(histogram_mean(&a) == 0);
}

static void test_small_values_are_exact(void **state) {
  (void)state;
  clear();
  for (uint64_t value = 0; value < 512; value++) {
    clear();
    histogram_add(&a, value);
    histogram_add(&a, 511); /* so that the maximum does not stand in for the bucket */
    assert_int_equal(histogram_percentile(&a, 50), value);
    assert_int_equal(a.min, value);
    assert_int_equal(a.max, 511);
  }
}

/* The edges of every bucket's power of two, and values between them. */
static void test_error_is_at_most_one_in_256(void **state) {
  (void)state;
  for (unsigned bit = 0; bit < HISTOGRAM_TOP; bit++) {
    for (int step = -1; step <= 3; step++) {
      uint64_t value =
          (UINT64_C(1) << bit) + (step < 2 ? (uint64_t)(int64_t)step : (UINT64_C(1) << bit) / (uint64_t)step);
      clear();
      histogram_add(&a, value);
      histogram_add(&a, LARGEST);
      uint64_t found = histogram_percentile(&a, 50);
      assert_true(found >= value);
      assert_true(found - value <= value / 256);
    }
  }
}

static void test_too_large_counts_as_the_largest(void **state) {
  (void)state;
  clear();
  histogram_add(&a, UINT64_MAX);
  histogram_add(&a, LARGEST + 1);
  assert_true(a.max == LARGEST);
  assert_true(histogram_percentile(&a, 1) == LARGEST);
  assert_int_equal(a.buckets[HISTOGRAM_BUCKETS - 1], 2);
}

static void test_percentiles_count_from_one(void **state) {
  (void)state;
  clear();
  for (uint64_t value = 1; value <= 100; value++) histogram_add(&a, value);
  assert_int_equal(histogram_percentile(&a, 0), 1);
  assert_int_equal(histogram_percentile(&a, 1), 1);
  assert_int_equal(histogram_percentile(&a, 50), 50);
  assert_int_equal(histogram_percentile(&a, 50.5), 51);
  assert_int_equal(histogram_percentile(&a, 99), 99);
  assert_int_equal(histogram_percentile(&a, 99.9), 100);
  assert_int_equal(histogram_percentile(&a, 100), 100);
  assert_true(histogram_mean(&a) == 50.5);
}

static void test_merging_is_adding(void **state) {
  uint64_t value = 1;
  (void)state;
  clear();
  for (int i = 0; i < 20000; i++) {
    value = value * UINT64_C(6364136223846793005) + 1442695040888963407u;
    uint64_t sample = value >> (22 + value % 40);
    histogram_add(i % 3 ? &a : &b, sample);
    histogram_add(&all, sample);
  }
  histogram_merge(&a, &b);
  assert_memory_equal(&a, &all, sizeof a);
  memset(&b, 0, sizeof b);
  histogram_merge(&a, &b); /* an empty one changes nothing, not the minimum either */
  assert_memory_equal(&a, &all, sizeof a);
  histogram_merge(&b, &a);
  assert_memory_equal(&b, &all, sizeof b);
}

static void test_a_shift_makes_each_value_larger(void **state) {
  (void)state;
  clear();
  histogram_shift(&a, 5); /* an empty one stays empty */
  assert_int_equal(a.count, 0);
  for (uint64_t value = 0; value < 200; value++) {
    histogram_add(&a, value);
    histogram_add(&all, value + 300);
  }
  histogram_shift(&a, 300);
  assert_memory_equal(&a, &all, sizeof a);
  histogram_shift(&a, UINT64_MAX);
  assert_int_equal(a.count, 200);
  assert_true(a.min == LARGEST && a.max == LARGEST);
  assert_int_equal(a.buckets[HISTOGRAM_BUCKETS - 1], 200);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_shift_makes_each_value_larger),
      cmocka_unit_test(test_empty_has_nothing),
      cmocka_unit_test(test_small_values_are_exact),
      cmocka_unit_test(test_error_is_at_most_one_in_256),
      cmocka_unit_test(test_too_large_counts_as_the_largest),
      cmocka_unit_test(test_percentiles_count_from_one),
      cmocka_unit_test(test_merging_is_adding),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
