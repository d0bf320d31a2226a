/* SPDX-License-Identifier: MIT */
/* The members of a route that say who may use it: none of them may look like protection and be none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/http_client.h"
#include "gateway/route_settings.h"
#include "gateway/token_signature.h"
#include "tokens.h"

static struct route_settings defaults, route;
static char message[400], secret[64], rsa[64];

static bool file_write(char path[64], const char *text) {
  snprintf(path, 64, "/tmp/auth_settings.XXXXXX");
  int fd = mkstemp(path);
  return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !close(fd);
}

static int group_setup(void **state) {
  (void)state;
  return file_write(secret, TOKENS_SECRET) && file_write(rsa, TOKENS_RSA_KEY) ? 0 : -1;
}

static int group_teardown(void **state) {
  (void)state;
  return unlink(secret) | unlink(rsa);
}

static int setup(void **state) {
  (void)state;
  route_settings_default(&defaults);
  message[0] = 0;
  return 0;
}

static bool set(struct route_settings *settings, const char *name, const char *value) {
  return route_settings_set(settings, name, value, message, sizeof message);
}

static bool begin(void) {
  return route_settings_begin(&route, &defaults, "/x", message, sizeof message) &&
         set(&route, "backend", "tcp://127.0.0.1:1");
}

static bool finish(void) { return route_settings_finish(&route, message, sizeof message); }

static void test_defaults(void **state) {
  (void)state;
  assert_true(begin() && finish());
  assert_int_equal(route.auth.algorithm, TOKEN_NONE);
  assert_string_equal(route.auth.url.text, "");
  assert_string_equal(route.auth.places.texts[0], "authorization");
  assert_int_equal(route.auth.places.count, 1);
  assert_int_equal(route.auth.request_headers.count, 2);
  assert_true(set(&route, "jwt-from", "query:token") && set(&route, "jwt-from", "cookie:token"));
  assert_int_equal(route.auth.places.count, 2); /* the default is replaced */
  assert_true(set(&route, "auth-request-header", "X-Api-Key"));
  assert_int_equal(route.auth.request_headers.count, 1);
  assert_string_equal(route.auth.request_headers.texts[0], "x-api-key");
}

static void test_an_algorithm_needs_its_key(void **state) {
  (void)state;
  if (!token_signature_available()) skip();
  assert_true(begin() && set(&route, "jwt-algorithm", "HS256"));
  assert_false(finish());
  assert_true(set(&route, "jwt-key", rsa));
  assert_false(finish());
  assert_true(set(&route, "jwt-algorithm", "RS256") && finish());
  assert_true(begin() && set(&route, "jwt-algorithm", "HS256") && set(&route, "jwt-key", secret) && finish());
  assert_true(set(&route, "jwt-key", "/no/such/file"));
  assert_false(finish());
}

static void test_members_without_the_one_that_turns_them_on(void **state) {
  static const char *const members[][2] = {
      {"jwt-key", secret}, {"jwt-audience", "x"}, {"jwt-path-claim", "x"}, {"auth-response-header", "x"}};
  (void)state;
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
    assert_true(begin() && set(&route, members[i][0], members[i][1]));
    assert_false(finish());
    setup(NULL);
    assert_true(set(&defaults, members[i][0], members[i][1]) && begin());
    assert_false(finish());
    setup(NULL);
  }
}

static void test_a_route_can_be_open(void **state) {
  (void)state;
  if (!token_signature_available() || !http_client_available()) skip();
  assert_true(set(&defaults, "jwt-algorithm", "HS256") && set(&defaults, "jwt-key", secret));
  assert_true(set(&defaults, "auth-request", "http://127.0.0.1:1/") && begin() && finish());
  assert_int_equal(route.auth.algorithm, TOKEN_HS256);
  assert_string_equal(route.auth.url.text, "http://127.0.0.1:1/");
  assert_true(set(&route, "jwt-algorithm", "none") && set(&route, "auth-request", "none") && finish());
  assert_int_equal(route.auth.algorithm, TOKEN_NONE);
  assert_string_equal(route.auth.url.text, "");
}

static void test_wrong_values(void **state) {
  static const char *const wrong[][2] = {
      {"auth-request", "x"},
      {"auth-request", "ftp://a/"},
      {"auth-request-header", "a b"},
      {"auth-response-header", ""},
      {"auth-user-header", "a:"},
      {"auth-timeout", "0"},
      {"auth-timeout", "5m"},
      {"auth-max-requests", "0"},
      {"jwt-algorithm", "hs256"},
      {"jwt-algorithm", "HS512"},
      {"jwt-key", ""},
      {"jwt-from", "header:x"},
      {"jwt-from", "cookie:"},
      {"jwt-from", "query"},
      {"jwt-audience", ""},
      {"jwt-leeway", "1h"},
  };
  char name[16];
  (void)state;
  assert_true(begin());
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    message[0] = 0;
    if (set(&route, wrong[i][0], wrong[i][1])) fail_msg("%s: %s", wrong[i][0], wrong[i][1]);
    assert_true(message[0]);
  }
  for (int i = 0; i < TEXT_LIST_MAX; i++) {
    snprintf(name, sizeof name, "a%d", i);
    assert_true(set(&route, "jwt-audience", name));
  }
  assert_false(set(&route, "jwt-audience", "more"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_defaults, setup),
      cmocka_unit_test_setup(test_an_algorithm_needs_its_key, setup),
      cmocka_unit_test_setup(test_members_without_the_one_that_turns_them_on, setup),
      cmocka_unit_test_setup(test_a_route_can_be_open, setup),
      cmocka_unit_test_setup(test_wrong_values, setup),
  };
  return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
