/* SPDX-License-Identifier: MIT */

/* src/wire/utf8.c: each row of RFC 3629's table from both sides, and cutting. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "wire/utf8.h"

static bool valid(const char *s) { return wt__utf8_valid(s, strlen(s)); }

static void test_utf8_accepts_the_ends_of_each_row(void **state) {
  (void)state;
  static const char *const good[] = {
      "",
      "a",
      "\x7f",
      "\xc2\x80",
      "\xdf\xbf",
      "\xe0\xa0\x80",
      "\xe0\xbf\xbf",
      "\xe1\x80\x80",
      "\xec\xbf\xbf",
      "\xed\x80\x80",
      "\xed\x9f\xbf",
      "\xee\x80\x80",
      "\xef\xbf\xbf",
      "\xf0\x90\x80\x80",
      "\xf3\xbf\xbf\xbf",
      "\xf4\x80\x80\x80",
      "\xf4\x8f\xbf\xbf",
      "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
  };
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) assert_true(valid(good[i]));
  assert_true(wt__utf8_valid("a\0b", 3));
  assert_true(wt__utf8_valid(NULL, 0));
}

static void test_utf8_refuses_overlong_surrogates_and_the_rest(void **state) {
  (void)state;
  static const char *const bad[] = {
      "\x80",
      "\xbf",
      "\xc0\x80",
      "\xc1\xbf",
      "\xc2",
      "\xc2\x7f",
      "\xc2\xc0",
      "\xe0\x80\x80",
      "\xe0\x9f\xbf",
      "\xe1\x80",
      "\xe1\x80\x7f",
      "\xe1\x80\xc0",
      "\xed\xa0\x80",
      "\xed\xbf\xbf",
      "\xf0\x80\x80\x80",
      "\xf0\x8f\xbf\xbf",
      "\xf4\x90\x80\x80",
      "\xf5\x80\x80\x80",
      "\xf8\x88\x80\x80\x80",
      "\xfe",
      "\xff",
      "a\xf0\x90\x80",
      "\xf1\x80\x80 ",
      "\xef\xbf\xbf\xbf",
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) assert_false(valid(bad[i]));
}

static void test_utf8_every_truncated_prefix_is_invalid(void **state) {
  (void)state;
  static const char *const whole[] = {"\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
  for (size_t i = 0; i < 3; i++) {
    assert_true(valid(whole[i]));
    for (size_t len = 1; len < strlen(whole[i]); len++) assert_false(wt__utf8_valid(whole[i], len));
  }
}

static void test_utf8_agrees_with_arithmetic_on_all_three_byte_forms(void **state) {
  (void)state;
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    const char s[] = {(char)(0xe0 | bits >> 12), (char)(0x80 | (bits >> 6 & 0x3f)), (char)(0x80 | (bits & 0x3f))};
    bool good = bits >= 0x800 && !(bits >= 0xd800 && bits <= 0xdfff);
    assert_int_equal(wt__utf8_valid(s, 3), good);
  }
}

static void test_utf8_cut_ends_on_a_boundary(void **state) {
  (void)state;
  const char *s = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80z"; /* boundaries 0 1 3 6 10 11 */
  static const size_t cut[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (size_t max = 0; max < sizeof(cut) / sizeof(cut[0]); max++) {
    assert_int_equal(wt__utf8_cut(s, 11, max), cut[max]);
    assert_true(wt__utf8_valid(s, cut[max]));
  }
  assert_int_equal(wt__utf8_cut(NULL, 0, 0), 0);
  assert_int_equal(wt__utf8_cut("\x80\x80\x80\x80", 4, 3), 0); /* no boundary at all: still within bounds */
}

static void check_show(const char *s, size_t len, size_t size, const char *shown) {
  char text[32];
  memset(text, 'x', sizeof(text));
  assert_int_equal(wt__utf8_show(text, size, s, len), strlen(shown));
  assert_string_equal(text, shown);
}

static void test_utf8_show_leaves_nothing_that_a_terminal_obeys(void **state) {
  (void)state;
  check_show("", 0, 1, "");
  check_show("a\0b", 3, 32, "a?b");
  check_show("a \x1f~", 4, 32, "a ?~");
  check_show("\x1b[2J\n\x7f", 6, 32, "?[2J??");
  check_show("\xc2\x9b"
             "31m",
             5, 32, "?31m"); /* U+009B, the same as ESC [ */
  check_show("\xc2\xa0\xc3\xbc", 4, 32, "\xc2\xa0\xc3\xbc");
  check_show("\xff\xc3", 2, 32, "??");
  check_show("a\xe2\x82\xac", 4, 4, "a"); /* not half of it */
  check_show("a\xe2\x82\xac", 4, 5, "a\xe2\x82\xac");
  check_show("abc", 3, 3, "ab");
  check_show("abc", 3, 1, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_utf8_accepts_the_ends_of_each_row),
      cmocka_unit_test(test_utf8_refuses_overlong_surrogates_and_the_rest),
      cmocka_unit_test(test_utf8_every_truncated_prefix_is_invalid),
      cmocka_unit_test(test_utf8_agrees_with_arithmetic_on_all_three_byte_forms),
      cmocka_unit_test(test_utf8_cut_ends_on_a_boundary),
      cmocka_unit_test(test_utf8_show_leaves_nothing_that_a_terminal_obeys),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
