/* SPDX-License-Identifier: MIT */
/* Header fields that are kept: their bounds, and what no field may have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/field_list.h"

static bool add_line(struct field_list *list, const char *line) {
  return field_list_add_line(list, line, strlen(line));
}

static void test_lines(void **state) {
  (void)state;
  struct field_list list = {0};
  assert_true(add_line(&list, "Remote-User: alice \r\n"));
  assert_true(add_line(&list, "Empty:\r\n"));
  assert_true(add_line(&list, "a:\tb:c"));
  assert_string_equal(field_list_find(&list, "remote-user"), "alice");
  assert_string_equal(field_list_find(&list, "empty"), "");
  assert_string_equal(field_list_find(&list, "a"), "b:c");
  assert_null(field_list_find(&list, "b"));
  assert_false(add_line(&list, "no colon"));
  assert_false(add_line(&list, ": x"));
  assert_false(add_line(&list, "a b: x"));
  assert_false(add_line(&list, "a: x\x01y"));
  assert_false(add_line(&list, "a: x\ny"));
  assert_int_equal(list.count, 3);
  struct field_list other = {0};
  field_list_move(&other, &list);
  assert_int_equal(list.count, 0);
  assert_int_equal(other.count, 3);
  field_list_free(&other);
  field_list_free(&list);
}

static void test_bounds(void **state) {
  (void)state;
  struct field_list list = {0};
  static char large[FIELD_LIST_BYTES];
  memset(large, 'x', sizeof large);
  assert_false(field_list_add(&list, "a", 1, large, sizeof large));
  assert_true(field_list_add(&list, "a", 1, large, sizeof large - 1));
  assert_false(field_list_add(&list, "b", 1, "", 0));
  field_list_free(&list);
  for (int i = 0; i < FIELD_LIST_COUNT; i++) assert_true(field_list_add(&list, "a", 1, "b", 1));
  assert_false(field_list_add(&list, "a", 1, "b", 1));
  field_list_free(&list);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
