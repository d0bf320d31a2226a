/* SPDX-License-Identifier: MIT */

/* src/wire/field.c: every byte as a name's and as a value's, in every place of it. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "wire/field.h"

static bool name_valid(const char *s) { return wt__field_name_valid((const uint8_t *)s, strlen(s)); }
static bool value_valid(const char *s) { return wt__field_value_valid((const uint8_t *)s, strlen(s)); }

static void test_field_name_is_a_token_in_lower_case(void **state) {
  (void)state;
  for (unsigned c = 0; c < 256; c++) {
    const uint8_t alone = (uint8_t)c;
    const uint8_t last[] = {'x', (uint8_t)c};
    bool allowed = c != 0 && strchr("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~", (int)c) != NULL;
    assert_int_equal(wt__field_name_valid(&alone, 1), allowed);
    assert_int_equal(wt__field_name_valid(last, 2), allowed);
  }
}

static void test_field_name_may_begin_with_a_colon(void **state) {
  (void)state;
  assert_true(name_valid(":path"));
  assert_false(name_valid(":"));
  assert_false(name_valid("::path"));
  assert_false(name_valid("pa:th"));
  assert_false(name_valid(":Path"));
  assert_false(name_valid(""));
}

/* Long enough for a loop over vectors, and its rest. */
static void test_field_value_has_no_control_character(void **state) {
  (void)state;
  uint8_t value[67];
  for (unsigned c = 0; c < 256; c++) {
    bool allowed = (c >= 0x20 && c != 0x7f) || c == '\t';
    for (size_t at = 0; at < sizeof(value); at++) {
      bool at_an_end = at == 0 || at == sizeof(value) - 1;
      memset(value, 'v', sizeof(value));
      value[at] = (uint8_t)c;
      assert_int_equal(wt__field_value_valid(value, sizeof(value)), allowed && !(at_an_end && (c == ' ' || c == '\t')));
    }
  }
}

static void test_field_value_of_one_byte_is_checked_too(void **state) {
  (void)state;
  for (unsigned c = 0; c < 256; c++) {
    const uint8_t value = (uint8_t)c;
    assert_int_equal(wt__field_value_valid(&value, 1), c > 0x20 && c != 0x7f);
  }
}

static void test_field_value_may_be_empty(void **state) {
  (void)state;
  assert_true(value_valid(""));
  assert_true(wt__field_value_valid(NULL, 0));
  assert_true(value_valid("a b\tc"));
  assert_false(value_valid(" "));
  assert_false(value_valid("a "));
  assert_false(value_valid("\ta"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_field_name_is_a_token_in_lower_case),
      cmocka_unit_test(test_field_name_may_begin_with_a_colon),
      cmocka_unit_test(test_field_value_has_no_control_character),
      cmocka_unit_test(test_field_value_of_one_byte_is_checked_too),
      cmocka_unit_test(test_field_value_may_be_empty),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
