/* SPDX-License-Identifier: MIT */
/* The form in which paths are compared: other spellings of a path must not get around its route. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/path_plain.h"

static char out[64];

static void test_spellings(void **state) {
  (void)state;
  static const char *const pairs[][2] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/%61dmin/", "/admin/"},
      {"//admin///x", "/admin/x"},
      {"/a%2Fb", "/a/b"},
      {"/%2fadmin", "/admin"},
      {"/a\\b", "/a/b"},
      {"/a%5cb", "/a/b"},
      {"/a%20b", "/a%20b"},
      {"/%e4", "/%E4"},
      {"/%25%34", "/%254"},
      {"/a%3fb%23", "/a%3Fb%23"},
      {"/.a/..b/...", "/.a/..b/..."},
      {"/%7Ea", "/~a"},
      {"/\xe4", "/%E4"},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    assert_true(path_plain(pairs[i][0], out, sizeof out));
    assert_string_equal(out, pairs[i][1]);
  }
}

static void test_refused(void **state) {
  (void)state;
  static const char *const bad[] = {"",       "a",           "*",       "/.",        "/..",       "/a/../b",
                                    "/a/./b", "/a/%2e%2E/b", "/a%2f..", "/a/..%5cb", "/a\\..\\b", "/%",
                                    "/%4",    "/%zz",        "/%00",    "/a/.%2e"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(path_plain(bad[i], out, sizeof out));
}

static void test_room(void **state) {
  (void)state;
  char path[70] = "/";
  memset(path + 1, 'a', 58);
  assert_true(path_plain(path, out, sizeof out));
  memset(path + 1, 'a', 68);
  assert_false(path_plain(path, out, sizeof out));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_spellings),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
