/* SPDX-License-Identifier: MIT */
/* Texts of peers on a terminal: control characters are escaped, and a long text is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/visible_text.h"

static void test_texts_of_the_server_are_made_visible(void **state) {
  char out[32], small[8];
  (void)state;
  assert_string_equal(visible_text("a\x1b[m\n\xc3\xa4", out, sizeof out), "a\\x1b[m\\x0a\xc3\xa4");
  assert_string_equal(visible_text("\n\n\n\n", small, sizeof small), "\\x0a");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_texts_of_the_server_are_made_visible),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
