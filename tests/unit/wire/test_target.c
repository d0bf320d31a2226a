/* SPDX-License-Identifier: MIT */

/* src/wire/target.c: decoding, query values, and paths that must not leave their folder. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <webtransport/error.h>

#include "wire/target.h"

static void test_target_decode(void **state) {
  (void)state;
  char dst[16];
  assert_int_equal(wt__target_decode("a%20b+c", 7, dst, sizeof(dst)), 5);
  assert_string_equal(dst, "a b+c");
  assert_int_equal(wt__target_decode("%c3%BC", 6, dst, sizeof(dst)), 2);
  assert_string_equal(dst, "\xc3\xbc");
  assert_int_equal(wt__target_decode("", 0, dst, sizeof(dst)), 0);
  assert_string_equal(dst, "");
  assert_int_equal(wt__target_decode("%2541", 5, dst, sizeof(dst)), 3); /* decoded once only */
  assert_string_equal(dst, "%41");
}

static void test_target_decode_refuses_broken_encodings(void **state) {
  (void)state;
  static const char *const bad[] = {"%", "%4", "a%", "%g0", "%0g", "%%41", "%-1", "% 1", "%00", "a%00b"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    char dst[16] = "x";
    assert_int_equal(wt__target_decode(bad[i], strlen(bad[i]), dst, sizeof(dst)), -1);
    assert_string_equal(dst, "");
  }
  char dst[16];
  assert_int_equal(wt__target_decode("a\0b", 3, dst, sizeof(dst)), -1);
  assert_int_equal(wt__target_decode("%41", 2, dst, sizeof(dst)), -1); /* cut by its length */
}

static void test_target_decode_needs_room_for_the_nul(void **state) {
  (void)state;
  char dst[4];
  assert_int_equal(wt__target_decode("%61bc", 5, dst, 4), 3);
  assert_int_equal(wt__target_decode("%61bc", 5, dst, 3), -1);
  assert_int_equal(wt__target_decode("", 0, dst, 1), 0);
  assert_int_equal(wt__target_decode("", 0, dst, 0), -1);
}

static void check_query(const char *query, const char *name, int rc, const char *value) {
  char dst[16] = "unset";
  assert_int_equal(wt__target_query_value(query, name, dst, sizeof(dst)), rc);
  assert_string_equal(dst, rc ? "" : value);
}

static void test_target_query_value(void **state) {
  (void)state;
  check_query("bytes=10&streams=3", "bytes", 0, "10");
  check_query("bytes=10&streams=3", "streams", 0, "3");
  check_query("reason=a+b%20c%2B", "reason", 0, "a b c+");
  check_query("a=1&a=2", "a", 0, "1");
  check_query("a=b=c", "a", 0, "b=c");
  check_query("flag&b=1", "flag", 0, "");
  check_query("flag=&b=1", "flag", 0, "");
  check_query("%61%20b=1", "a b", 0, "1");
  check_query("&&x=1&", "x", 0, "1");
}

static void test_target_query_at_walks_all(void **state) {
  (void)state;
  static const char query[] = "a=1&b&&c=%20x+y&a=2&=v&%zz=1&last=";
  static const struct {
    const char *name, *value;
  } expected[] = {{"a", "1"}, {"b", ""}, {"c", " x y"}, {"a", "2"}, {"", "v"}, {NULL, NULL}, {"last", ""}};
  char name[8], value[8];
  for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
    int rc = wt__target_query_at(query, i, name, sizeof(name), value, sizeof(value));
    assert_int_equal(rc, expected[i].name ? 0 : WT_ERR_INVALID);
    assert_string_equal(name, expected[i].name ? expected[i].name : "");
    assert_string_equal(value, expected[i].name ? expected[i].value : "");
  }
  (void)snprintf(name, sizeof(name), "old");
  (void)snprintf(value, sizeof(value), "old");
  assert_int_equal(wt__target_query_at(query, 7, name, sizeof(name), value, sizeof(value)), WT_ERR_NOT_FOUND);
  assert_string_equal(name, "");
  assert_string_equal(value, "");
  assert_int_equal(wt__target_query_at("", 0, name, sizeof(name), value, sizeof(value)), WT_ERR_NOT_FOUND);
  assert_int_equal(wt__target_query_at("name=1", 0, name, 4, value, 8), WT_ERR_TOO_LARGE);
  assert_string_equal(name, "");
  assert_int_equal(wt__target_query_at("a=12", 0, name, 2, value, 2), WT_ERR_TOO_LARGE);
}

static void test_target_query_value_errors(void **state) {
  (void)state;
  check_query("", "a", WT_ERR_NOT_FOUND, NULL);
  check_query(NULL, "a", WT_ERR_NOT_FOUND, NULL);
  check_query("ab=1", "a", WT_ERR_NOT_FOUND, NULL);
  check_query("a=1", "ab", WT_ERR_NOT_FOUND, NULL);
  check_query("A=1", "a", WT_ERR_NOT_FOUND, NULL);
  check_query("%6=1&%zz=2", "a", WT_ERR_NOT_FOUND, NULL); /* broken names are nobody's */
  check_query("b=%zz&a=1", "a", 0, "1");                  /* and other values do not matter */
  check_query("a=%zz", "a", WT_ERR_INVALID, NULL);
  check_query("a=%4", "a", WT_ERR_INVALID, NULL);
  check_query("a=%4&b=1", "a", WT_ERR_INVALID, NULL);
  check_query("a=x%00y", "a", WT_ERR_INVALID, NULL);
  check_query("a=0123456789abcde", "a", 0, "0123456789abcde");
  check_query("a=0123456789abcdef", "a", WT_ERR_TOO_LARGE, NULL);
  check_query("a=0123456789abcdef%", "a", WT_ERR_INVALID, NULL);
  char dst[1];
  assert_int_equal(wt__target_query_value("a=", "a", dst, 1), 0);
  assert_int_equal(wt__target_query_value("a=", "a", dst, 0), WT_ERR_TOO_LARGE);
}

static void check_path(const char *path, const char *expected) {
  char dst[64] = "unset";
  int rc = wt__target_file_path(path, dst, sizeof(dst));
  assert_string_equal(dst, expected ? expected : "");
  assert_int_equal(rc, expected ? (int)strlen(expected) : -1);
}

static void test_target_file_path(void **state) {
  (void)state;
  check_path("/", "index.html");
  check_path("", "index.html");
  check_path("/a", "a");
  check_path("a/b", "a/b");
  check_path("/a/", "a/index.html");
  check_path("/a/b.html", "a/b.html");
  check_path("///a", "a");
  check_path("/a%20b/%c3%bc", "a b/\xc3\xbc");
  check_path("/a+b", "a+b");
  check_path("/..a/b../.c/...", "..a/b../.c/...");
  check_path("/%252e%252e/a", "%2e%2e/a"); /* decoded once: a folder with that strange name */
}

static void test_target_file_path_has_no_way_out(void **state) {
  (void)state;
  static const char *const bad[] = {
      "/..",    "/../a",   "/a/..",  "/a/../b", "/%2e%2e/a", "/.%2e/a", "/%2E./a", "/.",        "/./a",        "/a/./b",
      "/a/.",   "/%2e",    "/a//b",  "/a//",    "/a%2fb",    "/%2fa",   "/..%2fa", "/%2f..%2f", "/a%5cb",      "/a\\b",
      "/..\\a", "/..%5ca", "/a%00b", "/%00",    "/a%",       "/a%2",    "/a%zz",   "/a/../..",  "/%2e%2e%2fa",
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) check_path(bad[i], NULL);
}

static void test_target_file_path_needs_room(void **state) {
  (void)state;
  static const char *const paths[] = {"/", "/a/", "/abc/def", "/a"};
  static const size_t lens[] = {10, 12, 7, 1};
  for (size_t i = 0; i < 4; i++) {
    char dst[16];
    for (size_t size = 0; size <= lens[i]; size++) assert_int_equal(wt__target_file_path(paths[i], dst, size), -1);
    assert_int_equal(wt__target_file_path(paths[i], dst, lens[i] + 1), lens[i]);
    /* the result is an int */
    assert_int_equal(wt__target_file_path(paths[i], dst, INT_MAX), lens[i]);
    assert_int_equal(wt__target_file_path(paths[i], dst, (size_t)INT_MAX + 1), -1);
  }
}

static void test_target_decode_takes_each_hexadecimal_digit(void **state) {
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  (void)state;
  for (int c = 1; c < 256; c++) {
    char high[] = {'%', (char)c, '1'}, low[] = {'%', '1', (char)c}, dst[4];
    const char *digit = strchr(digits, c);
    int value = digit ? (int)(digit - digits) % 16 : 0;
    assert_int_equal(wt__target_decode(high, 3, dst, sizeof(dst)) == 1, digit != NULL);
    if (digit) assert_int_equal((unsigned char)dst[0], 16 * value + 1);
    assert_int_equal(wt__target_decode(low, 3, dst, sizeof(dst)) == 1, digit != NULL);
    if (digit) assert_int_equal(dst[0], 16 + value);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_target_decode),
      cmocka_unit_test(test_target_decode_refuses_broken_encodings),
      cmocka_unit_test(test_target_decode_needs_room_for_the_nul),
      cmocka_unit_test(test_target_query_value),
      cmocka_unit_test(test_target_query_at_walks_all),
      cmocka_unit_test(test_target_query_value_errors),
      cmocka_unit_test(test_target_file_path),
      cmocka_unit_test(test_target_file_path_has_no_way_out),
      cmocka_unit_test(test_target_file_path_needs_room),
      cmocka_unit_test(test_target_decode_takes_each_hexadecimal_digit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
