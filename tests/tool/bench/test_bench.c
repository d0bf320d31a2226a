/* SPDX-License-Identifier: MIT */
/* The load generator's parts that need no server: the check of contents, and how results are added up. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bench/bench.h"
#include "serve/source.h"

enum {
  LEN = 3000,
};

static void pattern_fill(uint8_t *data, uint64_t at) {
  for (size_t i = 0; i < LEN; i++) data[i] = (uint8_t)((at + i) % SOURCE_PERIOD * 31 + ((at + i) % SOURCE_PERIOD >> 8));
}

static void test_pattern_finds_every_changed_byte(void **state) {
  uint8_t data[LEN];
  uint64_t at = 3 * (uint64_t)SOURCE_PERIOD - 1000; /* the pattern begins anew within it */
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
  for (uint64_t off = 1; off < SOURCE_PERIOD; off++) {
    pattern_fill(data, off);
    assert_false(pattern_matches(0, data, LEN));
  }
}

static void test_merging_adds_and_keeps_the_first_messages(void **state) {
  struct bench_result *total = calloc(1, sizeof *total), *part = calloc(1, sizeof *part);
  (void)state;
  assert_non_null(total);
  assert_non_null(part);
  part->operations = 3;
  part->last_ns = 50;
  part->faults[FAULT_LOST] = 2;
  strcpy(part->messages[FAULT_LOST], "first");
  part->dial_error = WT_ERR_TLS;
  histogram_add(&part->latency, 7);
  result_merge(total, part);
  strcpy(part->messages[FAULT_LOST], "second");
  part->dial_error = WT_ERR_TIMEOUT;
  part->last_ns = 40;
  result_merge(total, part);
  assert_int_equal(total->operations, 6);
  assert_int_equal(total->last_ns, 50);
  assert_int_equal(total->faults[FAULT_LOST], 4);
  assert_string_equal(total->messages[FAULT_LOST], "first");
  assert_int_equal(total->dial_error, WT_ERR_TLS);
  assert_int_equal(total->latency.count, 2);
  free(total);
  free(part);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pattern_finds_every_changed_byte),
      cmocka_unit_test(test_pattern_finds_what_is_at_another_place),
      cmocka_unit_test(test_merging_adds_and_keeps_the_first_messages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
