/* SPDX-License-Identifier: MIT */

/* The numbers of a publisher: one after the other for each topic, whatever its name; with another epoch after the topic was
 * forgotten. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "names.h"
#include "numbers.h"

static void next_is(struct wt__numbers *numbers, const char *topic, size_t len, uint64_t epoch, uint64_t number) {
  uint64_t got_epoch = 0, got_number = 0;
  assert_true(wt__numbers_next(numbers, topic, len, &got_epoch, &got_number));
  assert_int_equal(got_epoch, epoch);
  assert_int_equal(got_number, number);
}

static void test_numbers_each_topic(void **state) {
  struct wt__numbers numbers;
  (void)state;
  wt__numbers_init(&numbers, 10);
  next_is(&numbers, "a", 1, 1, 1);
  next_is(&numbers, "a\0b", 3, 2, 1);
  next_is(&numbers, "a\0c", 3, 3, 1);
  next_is(&numbers, "a", 1, 1, 2);
  next_is(&numbers, "a\0b", 3, 2, 2);
  next_is(&numbers, "", 0, 4, 1);
  wt__numbers_free(&numbers);
  assert_null(numbers.topics.root);
}

static void test_numbers_forgets_the_oldest(void **state) {
  struct wt__numbers numbers;
  (void)state;
  wt__numbers_init(&numbers, 2);
  next_is(&numbers, "a", 1, 1, 1);
  next_is(&numbers, "b", 1, 2, 1);
  next_is(&numbers, "a", 1, 1, 2);
  next_is(&numbers, "c", 1, 3, 1); /* b goes */
  next_is(&numbers, "a", 1, 1, 3);
  next_is(&numbers, "b", 1, 4, 1); /* and c */
  assert_int_equal(numbers.count, 2);
  wt__numbers_free(&numbers);
}

static void test_numbers_no_memory(void **state) {
  struct wt__numbers numbers;
  uint64_t epoch, number;
  (void)state;
  wt__numbers_init(&numbers, 2);
  wt__mem_fail_after(0);
  assert_false(wt__numbers_next(&numbers, "a", 1, &epoch, &number));
  wt__mem_fail_after(SIZE_MAX);
  assert_true(wt__numbers_next(&numbers, "a", 1, &epoch, &number));
  wt__numbers_free(&numbers);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers_each_topic),
      cmocka_unit_test(test_numbers_forgets_the_oldest),
      cmocka_unit_test(test_numbers_no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
