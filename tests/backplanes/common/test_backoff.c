/* SPDX-License-Identifier: MIT */

/* The wait before the next try. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backoff.h"

static void test_backoff_doubles(void **state) {
  struct wt__backoff backoff = {.min_ms = 50, .max_ms = 1000};
  const uint64_t waits[] = {50, 100, 200, 400, 800, 1000, 1000};
  (void)state;
  for (size_t i = 0; i < 7; i++) assert_int_equal(wt__backoff_next(&backoff, 0), waits[i]);
  for (size_t i = 0; i < 1000; i++) assert_int_equal(wt__backoff_next(&backoff, 0), 1000);
  wt__backoff_reset(&backoff);
  assert_int_equal(wt__backoff_next(&backoff, 0), 50);
}

static void test_backoff_by_chance(void **state) {
  struct wt__backoff backoff = {.min_ms = 100, .max_ms = 100};
  (void)state;
  assert_int_equal(wt__backoff_next(&backoff, 0), 100);
  assert_int_equal(wt__backoff_next(&backoff, UINT32_MAX), 50);
  assert_int_equal(wt__backoff_next(&backoff, UINT32_MAX / 2), 76);
  backoff = (struct wt__backoff){.min_ms = 1, .max_ms = 3600000};
  for (uint32_t i = 0; i < 1000; i++) {
    uint64_t wait = wt__backoff_next(&backoff, i * 4294967);
    assert_in_range(wait, 1, 3600000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_backoff_doubles),
      cmocka_unit_test(test_backoff_by_chance),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
