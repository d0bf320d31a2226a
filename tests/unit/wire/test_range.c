/* SPDX-License-Identifier: MIT */

/* src/wire/range.c: the three forms, clipping, and what is ignored or refused. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/range.h"

static void check_one(const char *value, uint64_t size, uint64_t expected_first, uint64_t expected_last) {
  uint64_t first = 0, last = 0;
  assert_int_equal(wt__range_read(value, size, &first, &last), WT__RANGE_ONE);
  assert_true(first == expected_first);
  assert_true(last == expected_last);
}

static void check_none(const char *value, uint64_t size, enum wt__range_result result) {
  uint64_t first = 7, last = 8;
  assert_int_equal(wt__range_read(value, size, &first, &last), result);
  assert_int_equal(first, 7);
  assert_int_equal(last, 8);
}

static void test_range_forms(void **state) {
  (void)state;
  check_one("bytes=0-499", 1000, 0, 499);
  check_one("bytes=500-", 1000, 500, 999);
  check_one("bytes=-500", 1000, 500, 999);
  check_one("bytes=0-0", 1000, 0, 0);
  check_one("bytes=999-999", 1000, 999, 999);
  check_one("BYTES=1-2", 1000, 1, 2);
  check_one("bytes= 1-2 ", 1000, 1, 2);
  check_one("bytes=000000000000000000000000000000001-2", 1000, 1, 2);
}

static void test_range_is_clipped(void **state) {
  (void)state;
  check_one("bytes=0-1000", 1000, 0, 999);
  check_one("bytes=0-99999999999999999999999999", 1000, 0, 999);
  check_one("bytes=-1001", 1000, 0, 999);
  check_one("bytes=-99999999999999999999999999", 1000, 0, 999);
  check_one("bytes=0-18446744073709551615", UINT64_MAX, 0, UINT64_MAX - 1);
  check_one("bytes=18446744073709551614-", UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 1);
}

static void test_range_unsatisfiable(void **state) {
  (void)state;
  check_none("bytes=1000-", 1000, WT__RANGE_UNSATISFIABLE);
  check_none("bytes=1000-1001", 1000, WT__RANGE_UNSATISFIABLE);
  check_none("bytes=99999999999999999999999999-", 1000, WT__RANGE_UNSATISFIABLE);
  check_none("bytes=18446744073709551615-", UINT64_MAX, WT__RANGE_UNSATISFIABLE);
  check_none("bytes=-0", 1000, WT__RANGE_UNSATISFIABLE);
  check_none("bytes=0-", 0, WT__RANGE_UNSATISFIABLE);
  check_none("bytes=0-0", 0, WT__RANGE_UNSATISFIABLE);
  check_none("bytes=-0", 0, WT__RANGE_UNSATISFIABLE);
}

static void test_range_ignored(void **state) {
  (void)state;
  static const char *const ignored[] = {
      "",
      "bytes",
      "bytes=",
      "bytes=-",
      "bytes=a-b",
      "bytes=1",
      "bytes=2-1",
      "bytes=0-1,2-3",
      "bytes=0-1,",
      ",bytes=0-1",
      "items=0-1",
      "bytes 0-1",
      "bytes=0-1x",
      "bytes=0--1",
      "bytes=--1",
      "bytes=0 -1",
      "bytes=0- 1",
      "bytes=+1-2",
      "bytes=0x1-2",
      " bytes=0-1",
      "bytes=0-1 2-3",
      "bytes=1-2/3",
  };
  for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) check_none(ignored[i], 1000, WT__RANGE_NONE);
  check_none("bytes=-5", 0, WT__RANGE_NONE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_range_forms),
      cmocka_unit_test(test_range_is_clipped),
      cmocka_unit_test(test_range_unsatisfiable),
      cmocka_unit_test(test_range_ignored),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
