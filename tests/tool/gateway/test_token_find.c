/* SPDX-License-Identifier: MIT */
/* Where tokens are found in fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/token_find.h"

static char token[8];

static enum token_found cookies(const char *value) { return token_in_cookies(value, "t", token, sizeof token); }
static enum token_found authorization(const char *value) { return token_in_authorization(value, token, sizeof token); }

static void test_cookies(void **state) {
  (void)state;
  assert_int_equal(cookies(NULL), TOKEN_MISSING);
  assert_int_equal(cookies(""), TOKEN_MISSING);
  assert_int_equal(cookies("xt=1; tt=2; T=3; a=t=4"), TOKEN_MISSING);
  assert_int_equal(cookies("t="), TOKEN_MISSING);
  assert_int_equal(cookies("a=1; t=abc ; t=def"), TOKEN_FOUND);
  assert_string_equal(token, "abc");
  assert_int_equal(cookies("a=1;t=a=b"), TOKEN_FOUND);
  assert_string_equal(token, "a=b");
  assert_int_equal(cookies("t=12345678"), TOKEN_UNREADABLE);
}

static void test_authorization(void **state) {
  (void)state;
  assert_int_equal(authorization(NULL), TOKEN_MISSING);
  assert_int_equal(authorization("Basic abc"), TOKEN_MISSING);
  assert_int_equal(authorization("Bearer"), TOKEN_MISSING);
  assert_int_equal(authorization("Bearer  "), TOKEN_MISSING);
  assert_int_equal(authorization("Bearerabc"), TOKEN_MISSING);
  assert_int_equal(authorization("bearer  abc"), TOKEN_FOUND);
  assert_string_equal(token, "abc");
  assert_int_equal(authorization("Bearer 12345678"), TOKEN_UNREADABLE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cookies),
      cmocka_unit_test(test_authorization),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
