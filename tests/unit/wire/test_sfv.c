/* SPDX-License-Identifier: MIT */

/* src/wire/sfv.c: lists and items of strings, parameters of every type, and what is malformed. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "wire/sfv.h"

/* Joins the members of a list with '|'; "!" if it is malformed. */
static const char *members(const char *value, size_t len) {
  static char text[1000];
  struct wt__sfv_list list = {value, value + len, true};
  char member[64];
  size_t member_len, n = 0;
  int rc;
  text[0] = '\0';
  while ((rc = wt__sfv_list_next(&list, member, sizeof(member), &member_len)) == 1) {
    assert_int_equal(strlen(member), member_len);
    n += (size_t)snprintf(text + n, sizeof(text) - n, "%s|", member);
  }
  assert_int_equal(wt__sfv_list_valid(value, len, sizeof(member) - 1), rc == 0);
  return rc == 0 ? text : "!";
}

static const char *members_of(const char *value) { return members(value, strlen(value)); }

static bool item_is(const char *value, const char *expected) {
  char dst[64] = "unset";
  int rc = wt__sfv_string_read(value, strlen(value), dst, sizeof(dst));
  return expected ? rc == 0 && strcmp(dst, expected) == 0 : rc == -1;
}

static void test_sfv_list_of_strings(void **state) {
  (void)state;
  assert_string_equal(members_of("\"foo\""), "foo|");
  assert_string_equal(members_of("\"foo\", \"bar\""), "foo|bar|");
  assert_string_equal(members_of("\"foo\",\"bar\" \t,\t \"baz\""), "foo|bar|baz|");
  assert_string_equal(members_of("  \"foo\"  "), "foo|");
  assert_string_equal(members_of("\"foo\"\t"), "foo|");
  assert_string_equal(members_of("\"\""), "|");
  assert_string_equal(members_of(""), "");
  assert_string_equal(members_of("   "), "");
  assert_string_equal(members_of("\"a\\\"b\\\\c\", \" ~\""), "a\"b\\c| ~|");
  assert_string_equal(members_of("\"same\", \"same\""), "same|same|");
}

static void test_sfv_list_malformed(void **state) {
  (void)state;
  static const char *const bad[] = {
      "\"foo\",",
      "\"foo\", ",
      ",\"foo\"",
      "\"foo\",,\"bar\"",
      "\"foo\" \"bar\"",
      "\"foo",
      "\"foo\\",
      "\"foo\\x\"",
      "foo",
      "\"foo\", bar",
      "1",
      "\"foo\", 1.5",
      "(\"foo\")",
      "()",
      "?1",
      ":YQ==:",
      "@1",
      "%\"a\"",
      "\"a\tb\"",
      "\"a\x7f\"",
      "\"\xc3\xbc\"",
      "\t\"foo\"",
      "\"foo\";",
      "\"foo\" ;a",
      "\"foo\";A",
      "\"foo\";1",
      "\"foo\";a=",
      "\"foo\";a =1",
      "\"foo\";a=(1)",
      "\"foo\"\n",
      "\"foo\", (\"a\" \"b\")",
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    if (strcmp(members_of(bad[i]), "!") != 0) fail_msg("not refused: %s", bad[i]);
  }
  assert_string_equal(members("\"a\0b\"", 5), "!");
}

static void test_sfv_list_every_prefix(void **state) {
  (void)state;
  static const char value[] = "\"foo\";a=1;b=\"x\", \"bar\"";
  /* The prefixes that are whole: nothing, "foo", with each of its parameters, and all of it. */
  static const size_t whole[] = {0, 5, 7, 9, 11, 15, 22};
  for (size_t len = 0; len <= sizeof(value) - 1; len++) {
    bool expected = false;
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) expected |= whole[i] == len;
    assert_int_equal(wt__sfv_list_valid(value, len, 10), expected);
  }
}

static void test_sfv_parameters_of_every_type_are_ignored(void **state) {
  (void)state;
  static const char *const good[] = {
      "a",
      "a;b;c",
      "*k",
      "a-b_c.d*9",
      "a=1",
      "a=-1",
      "a=0",
      "a=-0",
      "a=007",
      "a=999999999999999",
      "a=1.5",
      "a=-0.125",
      "a=999999999999.999",
      "a=\"s\\\"t\"",
      "a=token",
      "a=*",
      "a=t/o:k!#$%&'*+-.^_`|~",
      "a=::",
      "a=:YQ==:",
      "a=:YQ:",
      "a=:YWI=:",
      "a=:YWI:",
      "a=:YWJj:",
      "a=:+/09:",
      "a=?0",
      "a=?1",
      "a=@0",
      "a=@-62135596800",
      "a=@1659578233",
      "a=%\"\"",
      "a=%\"plain\"",
      "a=%\" ~\"",
      "a=%\"%61%7a\"",
      "a=%\"f%c3%bc%c3%bc\"",
      "a=%\"%f0%9f%98%80\"",
      " a=1",
      "  a;  b=2",
      "a=1;a=2",
  };
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    char value[100];
    snprintf(value, sizeof(value), "\"x\";%s, \"y\"", good[i]);
    if (strcmp(members_of(value), "x|y|") != 0) fail_msg("refused: %s", value);
    snprintf(value, sizeof(value), "\"x\";%s", good[i]);
    if (!item_is(value, "x")) fail_msg("refused: %s", value);
  }
}

static void test_sfv_parameters_malformed(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",
      "=1",
      "A=1",
      "-a=1",
      "a=",
      "a=-",
      "a=--1",
      "a=-a",
      "a=1000000000000000",
      "a=1.",
      "a=1.1234",
      "a=1000000000000.1",
      "a=.5",
      "a=1.2.3",
      "a=1a",
      "a=\"",
      "a=\"\\a\"",
      "a=\"\x01\"",
      "a=:",
      "a=:YQ==",
      "a=:Y:",
      "a=:YQ===:",
      "a=:YQ=a:",
      "a=:=:",
      "a=:YWJj=:",
      "a=:Y Q:",
      "a=:Y-Q_:",
      "a=:YWJjZ:",
      "a=:YWI==:",
      "a=?",
      "a=?2",
      "a=?true",
      "a=@",
      "a=@1.5",
      "a=@a",
      "a=%",
      "a=%a",
      "a=%\"",
      "a=%\"%\"",
      "a=%\"%c\"",
      "a=%\"%C3%BC\"",
      "a=%\"%c3\"",
      "a=%\"%ff\"",
      "a=%\"%ed%a0%80\"",
      "a=%\"\xc3\xbc\"",
      "a=%\"%c3a\"",
      "a=%\"\x01\"",
      "a=%\"\x1f\"",
      "a=%\"\x7f\"",
      "a=%\"%/0\"",
      "a=%\"%:0\"",
      "a=%\"%`0\"",
      "a=%\"%g0\"",
      "a=%\"%6G\"",
      "a=%\"%zz\"",
      "a=%\"%80%80%80%80%80\"",
      "a=()",
      "a=(1 2)",
      "a=&",
      "a=/x",
      "a= 1",
      "a;;b",
      "a;",
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    char value[100];
    snprintf(value, sizeof(value), "\"x\";%s, \"y\"", bad[i]);
    if (strcmp(members_of(value), "!") != 0) fail_msg("not refused: %s", value);
    snprintf(value, sizeof(value), "\"x\";%s", bad[i]);
    if (!item_is(value, NULL)) fail_msg("not refused: %s", value);
  }
}

static void test_sfv_list_member_must_fit(void **state) {
  (void)state;
  static const char value[] = "\"abc\"";
  struct wt__sfv_list list = {value, value + 5, true};
  char dst[4];
  size_t len;
  assert_int_equal(wt__sfv_list_next(&list, dst, 4, &len), 1);
  assert_string_equal(dst, "abc");
  assert_int_equal(wt__sfv_list_next(&list, dst, 4, &len), 0);
  list = (struct wt__sfv_list){value, value + 5, true};
  assert_int_equal(wt__sfv_list_next(&list, dst, 3, &len), -1);
  assert_string_equal(dst, "");
  assert_int_equal(wt__sfv_list_next(&list, dst, 0, &len), -1);
  assert_true(wt__sfv_list_valid(value, 5, 3));
  assert_false(wt__sfv_list_valid(value, 5, 2));
}

static void test_sfv_string_item(void **state) {
  (void)state;
  assert_true(item_is("\"foo\"", "foo"));
  assert_true(item_is("  \"a\\\\b\\\"\"  ", "a\\b\""));
  assert_true(item_is("\"\"", ""));
  static const char *const bad[] = {"",         "  ",        "foo",     "\"foo",      "\"foo\", \"bar\"",
                                    "\"foo\"x", "\"foo\"\t", "\t\"a\"", "\"foo\" ;a", "(\"foo\")",
                                    "1",        "\"\\n\""};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) assert_true(item_is(bad[i], NULL));
  char dst[4];
  assert_int_equal(wt__sfv_string_read("\"abc\"", 5, dst, 4), 0);
  assert_int_equal(wt__sfv_string_read("\"abcd\"", 6, dst, 4), -1);
  assert_int_equal(wt__sfv_string_read("\"\"", 2, dst, 0), -1);
}

static void test_sfv_string_write_round_trip(void **state) {
  (void)state;
  static const char *const strings[] = {"", "foo", "a\"b", "\\", " ~", "\\\"\\\""};
  for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
    char text[32], back[32];
    size_t n = wt__sfv_string_write(text, sizeof(text), strings[i]);
    assert_int_equal(n, strlen(text));
    assert_int_equal(wt__sfv_string_read(text, n, back, sizeof(back)), 0);
    assert_string_equal(back, strings[i]);
    for (size_t size = 0; size <= n; size++) assert_int_equal(wt__sfv_string_write(text, size, strings[i]), 0);
    assert_int_equal(wt__sfv_string_write(text, n + 1, strings[i]), n);
  }
}

static void test_sfv_string_write_refuses_what_a_string_cannot_hold(void **state) {
  (void)state;
  char text[32];
  assert_int_equal(wt__sfv_string_write(text, sizeof(text), "a\nb"), 0);
  assert_int_equal(wt__sfv_string_write(text, sizeof(text), "\x7f"), 0);
  assert_int_equal(wt__sfv_string_write(text, sizeof(text), "\xc3\xbc"), 0);
}

/* `format` has a place for one character of a parameter. */
static void check_each(const char *format, const char *allowed) {
  for (int c = 1; c < 256; c++) {
    char value[40];
    (void)snprintf(value, sizeof(value), format, c);
    if (item_is(value, "x") != (strchr(allowed, c) != NULL)) fail_msg("%s is judged wrongly", value);
  }
}

static void test_sfv_of_each_character(void **state) {
  char printable[96] = "";
  (void)state;
  for (char c = ' '; c <= '~'; c++) printable[c - ' '] = c == '"' || c == '\\' ? 'a' : c;
  check_each("\"x\";%c", "abcdefghijklmnopqrstuvwxyz*");
  check_each("\"x\";a%cb", "abcdefghijklmnopqrstuvwxyz0123456789_-.*=;");
  check_each("\"x\";a=b%cc", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~:/;");
  check_each("\"x\";a=:YW%cj:", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/");
  check_each("\"x\";a=\"b%cc\"", printable);
  check_each("\"x\";a=%%\"%%6%c\"", "0123456789abcdef");
  check_each("\"x\";a=%%\"%%%c1\"", "01234567");
  check_each("\"x\";a=1%c", "0123456789 ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sfv_list_of_strings),
      cmocka_unit_test(test_sfv_list_malformed),
      cmocka_unit_test(test_sfv_list_every_prefix),
      cmocka_unit_test(test_sfv_parameters_of_every_type_are_ignored),
      cmocka_unit_test(test_sfv_parameters_malformed),
      cmocka_unit_test(test_sfv_list_member_must_fit),
      cmocka_unit_test(test_sfv_string_item),
      cmocka_unit_test(test_sfv_string_write_round_trip),
      cmocka_unit_test(test_sfv_string_write_refuses_what_a_string_cannot_hold),
      cmocka_unit_test(test_sfv_of_each_character),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
