/* SPDX-License-Identifier: MIT */
/* Texts of peers in JSON: one that is not UTF-8 is replaced, so that the object that holds it is still made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/json_text.h"

static void check(const char *text, const char *expected) {
  json_t *json = json_text(text);
  assert_non_null(json);
  if (expected)
    assert_string_equal(json_string_value(json), expected);
  else
    assert_true(json_is_null(json));
  json_decref(json);
}

static void test_texts_stay_as_they_are(void **state) {
  (void)state;
  check("", "");
  check("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
}

static void test_no_text_is_null(void **state) {
  (void)state;
  check(NULL, NULL);
}

static void test_what_is_not_utf8_is_replaced(void **state) {
  (void)state;
  check("\xff", "(not UTF-8)");
  check("a\xc3", "(not UTF-8)");
  check("\xed\xa0\x80", "(not UTF-8)"); /* a surrogate */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_texts_stay_as_they_are),
      cmocka_unit_test(test_no_text_is_null),
      cmocka_unit_test(test_what_is_not_utf8_is_replaced),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
