/* SPDX-License-Identifier: MIT */

/* src/base/errno_name.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/errno_name.h"

static void test_errno_name_is_the_constant_or_none(void **state) {
  (void)state;
  const char *name = wt__errno_name(ENOSPC);
  if (name) assert_string_equal(name, "ENOSPC");
  assert_null(wt__errno_name(0));
  assert_null(wt__errno_name(-1));
  assert_null(wt__errno_name(123456));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_errno_name_is_the_constant_or_none)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
