/* SPDX-License-Identifier: MIT */
/* The gateway's codes for errors of sockets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/codes.h"

static void test_errors_have_codes(void **state) {
  (void)state;
  assert_int_equal(gateway_code_of_connect(ECONNREFUSED), CODE_REFUSED);
  assert_int_equal(gateway_code_of_connect(ETIMEDOUT), CODE_CONNECT_TIMEOUT);
  assert_int_equal(gateway_code_of_connect(EHOSTUNREACH), CODE_UNREACHABLE);
  assert_int_equal(gateway_code_of_connect(ENOENT), CODE_UNREACHABLE);
  assert_int_equal(gateway_code_of_connect(EMFILE), CODE_FAILED);
  assert_int_equal(gateway_code_of_connection(ECONNRESET), CODE_RESET);
  assert_int_equal(gateway_code_of_connection(EPIPE), CODE_RESET);
  assert_int_equal(gateway_code_of_connection(ETIMEDOUT), CODE_BROKEN);
}

/* Clients know the numbers: they are in the guide. */
static void test_codes_keep_their_values(void **state) {
  (void)state;
  assert_int_equal(CODE_RESET, 1);
  assert_int_equal(CODE_IDLE, 5);
  assert_int_equal(CODE_BROKEN, 11);
  assert_int_equal(CODE_GONE, 13);
  assert_int_equal(CODE_COUNT, 14);
  assert_string_equal(gateway_code_word(CODE_REFUSED), "refused");
  assert_string_equal(gateway_code_reason(CODE_NONE), "");
  for (unsigned code = 1; code < CODE_COUNT; code++) {
    assert_true(gateway_code_word((enum gateway_code)code)[0]);
    assert_true(gateway_code_reason((enum gateway_code)code)[0]);
  }
  assert_string_equal(gateway_code_word(CODE_COUNT), "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_errors_have_codes),
      cmocka_unit_test(test_codes_keep_their_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
