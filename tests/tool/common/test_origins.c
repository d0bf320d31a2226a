/* SPDX-License-Identifier: MIT */
/* Which values of --origin are origins. How those of requests compare with them is in serve/test_endpoints.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/origins.h"

static void test_options_that_are_no_origins_are_refused(void **state) {
  static const char *const wrong[] = {"",
                                      " ",
                                      "null",
                                      "*",
                                      "ANY",
                                      "any ",
                                      "example.com",
                                      "https:",
                                      "https://",
                                      "https:/example.com",
                                      "://example.com",
                                      "https://example.com/",
                                      "https://example.com/a",
                                      "https://example.com?",
                                      "https://example.com#",
                                      "https://user@example.com",
                                      "https://*.example.com",
                                      "https://example.com:*",
                                      "https://example.com:",
                                      "https://example.com:0",
                                      "https://example.com:65536",
                                      "https://example.com:80x",
                                      "https://example.com:+80",
                                      "https://exa mple.com",
                                      " https://example.com",
                                      "https://example.com ",
                                      "https://example.com\n",
                                      "https://::1",
                                      "https://[::1",
                                      "https://[::g]",
                                      "https://a..b",
                                      "https://ex\001ample.com",
                                      "1https://a",
                                      "https://\xc3\xa4.example",
                                      "https://a,https://b",
                                      NULL};
  struct origins origins = {0};
  (void)state;
  for (size_t i = 0; wrong[i]; i++)
    if (!origins_add(&origins, wrong[i])) fail_msg("'%s' was taken", wrong[i]);
  assert_int_equal(origins.count, 0);
  assert_false(origins.any);
}

static void test_origins_are_kept_in_one_form(void **state) {
  struct origins origins = {0};
  (void)state;
  assert_null(origins_add(&origins, "HTTPS://Example.COM"));
  assert_null(origins_add(&origins, "http://[0:0::0:1]:8080"));
  assert_null(origins_add(&origins, "http://localhost:80"));
  assert_null(origins_add(&origins, "chrome-extension://abcdefgh"));
  assert_string_equal(origins.list[0], "https://example.com:443");
  assert_string_equal(origins.list[1], "http://::1:8080");
  assert_string_equal(origins.list[2], "http://localhost:80");
  assert_string_equal(origins.list[3], "chrome-extension://abcdefgh:0");
  assert_null(origins_add(&origins, "https://example.com."));
  assert_string_equal(origins.list[4], origins.list[0]);
  assert_null(origins_add(&origins, "any"));
  assert_true(origins.any);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_options_that_are_no_origins_are_refused),
      cmocka_unit_test(test_origins_are_kept_in_one_form),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
