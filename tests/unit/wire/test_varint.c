/* SPDX-License-Identifier: MIT */

/* src/wire/varint.c: the examples of RFC 9000, appendix A.1, the bounds of each length, truncation. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/varint.h"

static const struct {
  uint64_t value;
  size_t len;
} bounds[] = {
    {0, 1},
    {1, 1},
    {0x3f, 1},
    {0x40, 2},
    {0x3fff, 2},
    {0x4000, 4},
    {0x3fffffff, 4},
    {0x40000000, 8},
    {UINT32_MAX, 8},
    {WT__VARINT_MAX - 1, 8},
    {WT__VARINT_MAX, 8},
};
#define BOUNDS (sizeof(bounds) / sizeof(bounds[0]))

static void test_varint_reads_the_examples_of_the_rfc(void **state) {
  (void)state;
  static const struct {
    uint8_t bytes[8];
    size_t len;
    uint64_t value;
  } examples[] = {
      {{0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c}, 8, UINT64_C(151288809941952652)},
      {{0x9d, 0x7f, 0x3e, 0x7d}, 4, 494878333},
      {{0x7b, 0xbd}, 2, 15293},
      {{0x25}, 1, 37},
      {{0x40, 0x25}, 2, 37}, /* longer than it needs to be */
      {{0xc0, 0, 0, 0, 0, 0, 0, 0x25}, 8, 37},
  };
  for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
    uint64_t value = 0;
    assert_int_equal(wt__varint_len_of(examples[i].bytes[0]), examples[i].len);
    assert_int_equal(wt__varint_read(examples[i].bytes, 8, &value), examples[i].len);
    assert_true(value == examples[i].value);
  }
}

static void test_varint_round_trip_in_shortest_form(void **state) {
  (void)state;
  for (size_t i = 0; i < BOUNDS; i++) {
    uint8_t bytes[9] = {0, 0, 0, 0, 0, 0, 0, 0, 0};
    uint64_t value = 0;
    bytes[bounds[i].len] = 0xa5;
    assert_int_equal(wt__varint_len(bounds[i].value), bounds[i].len);
    assert_int_equal(wt__varint_write(bytes, bounds[i].value), bounds[i].len);
    assert_int_equal(bytes[bounds[i].len], 0xa5);
    assert_int_equal(wt__varint_read(bytes, bounds[i].len, &value), bounds[i].len);
    assert_true(value == bounds[i].value);
  }
}

static void test_varint_truncated_is_not_read(void **state) {
  (void)state;
  for (size_t i = 0; i < BOUNDS; i++) {
    uint8_t bytes[8];
    uint64_t value = 0x1234;
    size_t n = wt__varint_write(bytes, bounds[i].value);
    for (size_t len = 0; len < n; len++) assert_int_equal(wt__varint_read(bytes, len, &value), 0);
    assert_true(value == 0x1234);
  }
}

static void test_varint_too_large_keeps_its_length(void **state) {
  (void)state;
  uint8_t bytes[8];
  uint64_t value;
  assert_int_equal(wt__varint_write(bytes, UINT64_MAX), 8);
  assert_int_equal(wt__varint_read(bytes, 8, &value), 8);
  assert_true(value == WT__VARINT_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_varint_reads_the_examples_of_the_rfc),
      cmocka_unit_test(test_varint_round_trip_in_shortest_form),
      cmocka_unit_test(test_varint_truncated_is_not_read),
      cmocka_unit_test(test_varint_too_large_keeps_its_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
