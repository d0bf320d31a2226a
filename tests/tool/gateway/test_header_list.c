/* SPDX-License-Identifier: MIT */
/* Lists of header fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/header_list.h"

static void test_fields_are_copied_in_order(void **state) {
  struct header_list fields = {0};
  char name[] = "a", value[] = "1";
  (void)state;
  assert_true(header_list_add(&fields, name, value));
  assert_true(header_list_add(&fields, "b", ""));
  name[0] = value[0] = 'x';
  assert_string_equal(fields.list[0].name, "a");
  assert_string_equal(fields.list[0].value, "1");
  assert_string_equal(header_list_get(&fields, "b"), "");
  assert_null(header_list_get(&fields, "x"));
  header_list_free(&fields);
  assert_int_equal(fields.count, 0);
}

static void test_a_field_that_is_set_is_there_once(void **state) {
  struct header_list fields = {0};
  (void)state;
  assert_true(header_list_add(&fields, "a", "1"));
  assert_true(header_list_add(&fields, "b", "2"));
  assert_true(header_list_add(&fields, "a", "3"));
  assert_true(header_list_set(&fields, "a", "4"));
  assert_int_equal(fields.count, 2);
  assert_string_equal(fields.list[0].name, "b");
  assert_string_equal(header_list_get(&fields, "a"), "4");
  header_list_remove(&fields, "b");
  assert_int_equal(fields.count, 1);
  header_list_free(&fields);
}

static void test_the_number_of_fields_is_bounded(void **state) {
  struct header_list fields = {0};
  (void)state;
  for (size_t i = 0; i < HEADER_LIST_MAX; i++) assert_true(header_list_add(&fields, "a", "1"));
  assert_false(header_list_add(&fields, "a", "1"));
  assert_int_equal(fields.count, HEADER_LIST_MAX);
  header_list_free(&fields);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fields_are_copied_in_order),
      cmocka_unit_test(test_a_field_that_is_set_is_there_once),
      cmocka_unit_test(test_the_number_of_fields_is_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
