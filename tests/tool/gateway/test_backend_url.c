/* SPDX-License-Identifier: MIT */
/* URLs that requests have at the back end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/backend_url.h"

static void check(const char *route, const char *backend, const char *path, const char *query, const char *expected) {
  static struct route_settings defaults, settings;
  char message[200];
  int status;
  route_settings_default(&defaults);
  assert_true(route_settings_begin(&settings, &defaults, route, message, sizeof message));
  assert_true(route_settings_set(&settings, "backend", backend, message, sizeof message));
  char *url = backend_url(&settings, path, query, &status);
  if (expected) {
    assert_non_null(url);
    assert_string_equal(url, expected);
  } else {
    assert_null(url);
    assert_int_equal(status, 400);
  }
  free(url);
}

static void test_the_path_goes_on(void **state) {
  (void)state;
  check("/game/", "https://a.example", "/game/1", "", "https://a.example/game/1");
  check("/game/", "https://a.example:8443", "/game/1", "x=1&y", "https://a.example:8443/game/1?x=1&y");
  check("/", "https://[2001:db8::1]:1", "/", "", "https://[2001:db8::1]:1/");
  check("/a", "https://a.example", "/a", "q", "https://a.example/a?q");
}

static void test_a_path_of_the_back_end_takes_its_place(void **state) {
  (void)state;
  check("/game/", "https://a.example/", "/game/1", "", "https://a.example/1");
  check("/game/", "https://a.example/v2/", "/game/a/b", "c", "https://a.example/v2/a/b?c");
  check("/game", "https://a.example/other", "/game", "", "https://a.example/other");
  check("/game/", "https://a.example/v2/", "/game/", "", "https://a.example/v2/");
}

static void test_a_path_in_another_spelling_is_refused(void **state) {
  (void)state;
  check("/game/", "https://a.example/v2/", "/%67ame/1", "", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_path_goes_on),
      cmocka_unit_test(test_a_path_of_the_back_end_takes_its_place),
      cmocka_unit_test(test_a_path_in_another_spelling_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
