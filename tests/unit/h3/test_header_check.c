/* SPDX-License-Identifier: MIT */

/* src/h3/header_check.c: which fields an application may send. Characters of values are in wire/test_field.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "h3/header_check.h"

static bool valid(const char *name, const char *value) {
  return wt__header_valid(&(struct wt_header){.name = name, .value = value});
}

static void test_header_names(void **state) {
  static const char *const bad[] = {"",     "X-Upper", ":status", "a b",  "a:",         "a\x80",
                                    "te",   "upgrade", "a\n",     "a(b)", "connection", "transfer-encoding",
                                    "\x01", "a{",      "a\"",     "a@b",  "keep-alive", "proxy-connection"};
  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) assert_false(valid(bad[i], "x"));
  assert_true(valid("a", "x"));
  assert_true(valid("az-09!#$%&'*+.^_`|~", ""));
  assert_true(valid("tea", "x"));
  assert_true(valid("host", "a.example"));
  assert_false(valid(NULL, "x"));
  assert_false(valid("a", NULL));
  assert_false(valid("a", "line\nend"));
}

static void test_header_host_is_not_for_requests(void **state) {
  (void)state;
  assert_false(wt__request_header_valid(&(struct wt_header){.name = "host", .value = "a.example"}));
  assert_true(wt__request_header_valid(&(struct wt_header){.name = "hosts", .value = "a.example"}));
  assert_false(wt__request_header_valid(&(struct wt_header){.name = "te", .value = "trailers"}));
}

static void test_header_tokens_of_methods_may_be_upper_case(void **state) {
  (void)state;
  assert_true(wt__token_valid("GET", true));
  assert_true(wt__token_valid("AZaz", true));
  assert_false(wt__token_valid("GET", false));
  assert_false(wt__token_valid("", true));
  assert_false(wt__token_valid("A[", true));
  assert_false(wt__token_valid("@A", true));
}

static void test_header_tokens_of_each_character(void **state) {
  static const char marks[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz",
                    upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  (void)state;
  for (int c = 1; c < 256; c++) {
    char token[] = {'a', (char)c, '\0'};
    assert_int_equal(wt__token_valid(token, false), strchr(marks, c) != NULL);
    assert_int_equal(wt__token_valid(token, true), strchr(marks, c) != NULL || strchr(upper, c) != NULL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_header_names),
      cmocka_unit_test(test_header_host_is_not_for_requests),
      cmocka_unit_test(test_header_tokens_of_methods_may_be_upper_case),
      cmocka_unit_test(test_header_tokens_of_each_character),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
