/* SPDX-License-Identifier: MIT */
/* The pattern of /source: the comparison finds every wrong byte and every wrong offset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/pattern.h"

enum {
  LEN = 3000,
};

static void pattern_fill(uint8_t *data, uint64_t at) {
  for (size_t i = 0; i < LEN; i++)
    data[i] = (uint8_t)((at + i) % PATTERN_PERIOD * 31 + ((at + i) % PATTERN_PERIOD >> 8));
}

static void test_pattern_finds_every_changed_byte(void **state) {
  uint8_t data[LEN];
  uint64_t at = 3 * (uint64_t)PATTERN_PERIOD - 1000; /* the pattern begins anew within it */
  (void)state;
  pattern_fill(data, at);
  assert_true(pattern_matches(at, data, LEN));
  assert_true(pattern_matches(at, data, 0));
  for (size_t i = 0; i < LEN; i++) {
    data[i] ^= 0x10;
    assert_false(pattern_matches(at, data, LEN));
    data[i] ^= 0x10;
  }
}

static void test_pattern_finds_what_is_at_another_place(void **state) {
  uint8_t data[LEN];
  (void)state;
  for (uint64_t off = 1; off < PATTERN_PERIOD; off++) {
    pattern_fill(data, off);
    assert_false(pattern_matches(0, data, LEN));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pattern_finds_every_changed_byte),
      cmocka_unit_test(test_pattern_finds_what_is_at_another_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
