/* SPDX-License-Identifier: MIT */

/* src/base/version.c: the numbers and the text of the version agree. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include <webtransport/version.h>

static void test_version_matches_the_header(void **state) {
  (void)state;
  assert_string_equal(wt_version(), WT_VERSION);
}

static void test_version_text_is_made_of_the_numbers(void **state) {
  (void)state;
  char text[64];
  snprintf(text, sizeof(text), "%d.%d.%d", WT_VERSION_MAJOR, WT_VERSION_MINOR, WT_VERSION_PATCH);
  assert_string_equal(wt_version(), text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_version_matches_the_header),
      cmocka_unit_test(test_version_text_is_made_of_the_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
