/* SPDX-License-Identifier: MIT */
/* How the results of several workers are added up. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bench/bench.h"

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
      cmocka_unit_test(test_merging_adds_and_keeps_the_first_messages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
