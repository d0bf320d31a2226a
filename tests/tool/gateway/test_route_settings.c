/* SPDX-License-Identifier: MIT */
/* The members of a route. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/route_settings.h"

static struct route_settings defaults, route;
static char message[400];

static int setup(void **state) {
  (void)state;
  route_settings_default(&defaults);
  message[0] = 0;
  return 0;
}

static bool set(struct route_settings *settings, const char *name, const char *value) {
  return route_settings_set(settings, name, value, message, sizeof message);
}

static bool begin(const char *path) { return route_settings_begin(&route, &defaults, path, message, sizeof message); }

static bool finish(void) { return route_settings_finish(&route, message, sizeof message); }

static void test_lists_of_defaults_are_replaced(void **state) {
  (void)state;
  assert_true(set(&defaults, "origin", "https://a.example"));
  assert_true(set(&defaults, "origin", "https://b.example"));
  assert_true(set(&defaults, "protocol", "chat"));
  assert_int_equal(defaults.origins.count, 2);
  assert_true(begin("/x"));
  assert_int_equal(route.origins.count, 2);
  assert_true(set(&route, "origin", "https://c.example"));
  assert_true(set(&route, "origin", "https://d.example"));
  assert_int_equal(route.origins.count, 2);
  assert_string_equal(route.origins.list[0], "https://c.example:443");
  assert_true(route.origins.chosen);
  assert_int_equal(route.protocol_count, 1);
}

/* An "any" of the defaults must not stay when a route names its own. */
static void test_any_is_replaced(void **state) {
  (void)state;
  assert_true(set(&defaults, "origin", "any"));
  assert_true(begin("/x"));
  assert_true(route.origins.any);
  assert_true(set(&route, "origin", "https://c.example"));
  assert_false(route.origins.any);
}

static void test_idle_timeout_follows_the_kind(void **state) {
  (void)state;
  assert_true(begin("/x") && set(&route, "backend", "tcp://127.0.0.1:1") && finish());
  assert_int_equal(route.idle_timeout_ms, 3600 * 1000);
  assert_true(begin("/x") && set(&route, "backend", "udp://127.0.0.1:1") && finish());
  assert_int_equal(route.idle_timeout_ms, 300 * 1000);
  assert_true(set(&defaults, "idle-timeout", "0"));
  assert_true(begin("/x") && set(&route, "backend", "udp://127.0.0.1:1") && finish());
  assert_int_equal(route.idle_timeout_ms, 0);
}

static void test_wrong_values(void **state) {
  static const char *const wrong[][2] = {
      {"backend", "x"},        {"origin", "*"},  {"max-sessions", "x"},     {"max-streams", "-1"},
      {"rate", "12"},          {"rate", "10X"},  {"connect-timeout", "1d"}, {"max-life", ""},
      {"proxy-protocol", "2"}, {"protocol", ""}, {"no-such", "1"},
  };
  (void)state;
  assert_true(begin("/x"));
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    message[0] = 0;
    assert_false(set(&route, wrong[i][0], wrong[i][1]));
    assert_true(message[0]);
  }
  assert_false(begin("x"));
  assert_false(begin("/a b"));
  assert_false(begin("/a?b"));
  assert_true(begin("/a%20b"));
  assert_false(finish()); /* no back end */
  assert_true(set(&route, "backend", "udp://127.0.0.1:1") && set(&route, "proxy-protocol", "yes"));
  assert_false(finish());
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_lists_of_defaults_are_replaced, setup),
      cmocka_unit_test_setup(test_any_is_replaced, setup),
      cmocka_unit_test_setup(test_idle_timeout_follows_the_kind, setup),
      cmocka_unit_test_setup(test_wrong_values, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
