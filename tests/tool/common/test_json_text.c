/* SPDX-License-Identifier: MIT */
/* Texts of peers in JSON: one that is not UTF-8 is replaced, so that the object that holds it is still made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

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

static void check_log(const char *text, size_t max, const char *expected) {
  json_t *json = json_log_text(text, max);
  assert_non_null(json);
  assert_string_equal(json_string_value(json), expected);
  json_decref(json);
}

#define WRONG "\xef\xbf\xbd"

/* Each byte that is wrong, and nothing else. */
static void test_texts_of_a_log_keep_what_is_good(void **state) {
  (void)state;
  check_log("", 100, "");
  check_log("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", 100, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
  check_log("a\xff"
            "b",
            100, "a" WRONG "b");
  check_log("a\xc3", 100, "a" WRONG);
  check_log("\xed\xa0\x80", 100, WRONG WRONG WRONG); /* a surrogate */
  check_log("\xc0\xafx\xf5\x80\x80\x80", 100, WRONG WRONG "x" WRONG WRONG WRONG WRONG);
  check_log("a\x7f"
            "b\nc",
            100, "a" WRONG "b\nc"); /* jansson escapes what is below 0x20 */
  for (int byte = 1; byte < 256; byte++) {
    const char text[] = {(char)byte, 0};
    json_t *json = json_log_text(text, 100);
    char *dumped = json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    for (const char *c = dumped; *c; c++) assert_in_range(*c, 0x20, 0x7e);
    free(dumped);
    json_decref(json);
  }
}

static void test_texts_of_a_log_are_cut(void **state) {
  (void)state;
  check_log("abcd", 4, "abcd");
  check_log("abcde", 4, "abcd...");
  check_log("abc\xc3\xbc", 4, "abc...");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_texts_stay_as_they_are),       cmocka_unit_test(test_no_text_is_null),
      cmocka_unit_test(test_what_is_not_utf8_is_replaced), cmocka_unit_test(test_texts_of_a_log_keep_what_is_good),
      cmocka_unit_test(test_texts_of_a_log_are_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
