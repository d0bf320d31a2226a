/* SPDX-License-Identifier: MIT */
/* The members of a route. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/http_client.h"
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

static void test_members_of_urls(void **state) {
  static const char hash[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  (void)state;
  assert_true(set(&defaults, "backend-insecure-hash", hash) && set(&defaults, "answer-header", "x-a"));
  assert_true(begin("/x") && set(&route, "backend", "https://a.example"));
  assert_int_equal(route.trust.sessions_per_connection, 16);
  assert_int_equal(route.trust.hash_count, 1);
  assert_false(route.keep_host || route.trust_forwarded);
  assert_true(set(&route, "backend-insecure-hash", hash) && set(&route, "backend-insecure-hash", hash));
  assert_int_equal(route.trust.hash_count, 2);
  assert_true(set(&route, "host", "keep") && set(&route, "trust-forwarded", "yes"));
  assert_true(set(&route, "backend-ca", "/etc/ca.pem") && set(&route, "backend-sessions", "1") && finish());
  assert_true(route.keep_host && route.trust_forwarded);
  assert_true(begin("/x") && set(&route, "backend", "tcp://127.0.0.1:1") &&
              finish()); /* those of the defaults do not matter */
  assert_true(set(&route, "host", "backend"));
  assert_false(finish());
}

static void test_fields_of_answers(void **state) {
  (void)state;
  assert_true(begin("/x"));
  assert_true(route_answer_header_passes(&route, "x-a"));
  assert_false(route_answer_header_passes(&route, "alt-svc"));
  assert_true(set(&route, "answer-header", "x-a") && set(&route, "answer-header", "alt-svc"));
  assert_true(route_answer_header_passes(&route, "x-a"));
  assert_false(route_answer_header_passes(&route, "x-b"));
  assert_false(route_answer_header_passes(&route, "alt-svc"));
  assert_true(begin("/x") && set(&route, "answer-header", "none"));
  assert_false(route_answer_header_passes(&route, "x-a"));
}

/* A back end of HTTP gets the requests that are no sessions; other routes name somebody for them. */
static void test_requests_have_a_place(void **state) {
  (void)state;
  if (!http_client_available()) skip();
  assert_true(begin("/x") && set(&route, "backend", "http://127.0.0.1:8080") && finish());
  assert_string_equal(route.requests.text, "http://127.0.0.1:8080");
  assert_int_equal(route.idle_timeout_ms, 60 * 1000);
  assert_true(begin("/x") && set(&route, "backend", "tcp://127.0.0.1:22") && finish());
  assert_string_equal(route.requests.text, "");
  assert_true(set(&route, "requests", "https://[::1]") && finish());
  assert_string_equal(route.requests.address.host, "::1");
  assert_int_equal(route.requests.address.port, 443);
  assert_true(set(&route, "requests", "none") && finish());
  assert_string_equal(route.requests.text, "");
  assert_false(set(&route, "requests", "http://a/path"));
  assert_false(set(&route, "requests", "tcp://a:1"));
}

static void test_wrong_values(void **state) {
  static const char *const wrong[][2] = {
      {"backend", "x"},          {"origin", "*"},    {"max-sessions", "x"},
      {"max-streams", "-1"},     {"rate", "12"},     {"rate", "10X"},
      {"connect-timeout", "1d"}, {"max-life", ""},   {"proxy-protocol", "2"},
      {"protocol", ""},          {"no-such", "1"},   {"backend-insecure-hash", "12"},
      {"backend-sessions", "0"}, {"host", "x"},      {"trust-forwarded", "1"},
      {"answer-header", "X-Up"}, {"backend-ca", ""},
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
  assert_false(begin("/a//b"));
  assert_false(begin("/a/../b"));
  assert_false(begin("/%61"));
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
      cmocka_unit_test_setup(test_members_of_urls, setup),
      cmocka_unit_test_setup(test_fields_of_answers, setup),
      cmocka_unit_test_setup(test_requests_have_a_place, setup),
      cmocka_unit_test_setup(test_wrong_values, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
