/* SPDX-License-Identifier: MIT */
/* URLs of brokers: which kinds there are, and that their secrets are hidden from `ps`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "serve/backplane.h"

static char message[512];

/* Reads a URL as if it stood in argv; what is left there has to be `shown`. */
static bool check(const char *url, const char *shown) {
  struct backplane_settings settings = {0};
  char *argument = strdup(url);
  assert_non_null(argument);
  message[0] = 0;
  bool good = backplane_settings_read(&settings, argument, message, sizeof message);
  assert_string_equal(argument, shown);
  assert_string_equal(settings.urls, url);
  assert_int_equal(good, message[0] == 0);
  backplane_settings_free(&settings);
  assert_null(settings.urls);
  free(argument);
  return good;
}

/* Built with the kind, or told that it is not. */
static bool is_built(const char *url) {
  if (check(url, url)) return true;
  assert_non_null(strstr(message, "built without"));
  return false;
}

static void test_schemes_choose_the_kind(void **state) {
  (void)state;
  assert_int_equal(is_built("redis://localhost"), is_built("rediss://localhost:6380/1"));
  assert_int_equal(is_built("nats://localhost"), is_built("tls://localhost"));
}

static void test_other_urls_are_refused(void **state) {
  static const char *const bad[] = {"", "localhost", "http://localhost", "redis:/localhost", "REDIS", "//x", "redi"};
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_false(check(bad[i], bad[i]));
    assert_non_null(strstr(message, "redis://"));
  }
  assert_false(check("redis://a,nats://b", "redis://a,nats://b"));
  assert_non_null(strstr(message, "one kind"));
  assert_false(check("redis://a,", "redis://a,"));
}

static void test_secrets_are_hidden_in_every_url(void **state) {
  (void)state;
  check("redis://user:secret@host:1/0", "redis://***********@host:1/0");
  check("redis://:p@host", "redis://**@host");
  check("nats://token@a,nats://u:p@w@b", "nats://*****@a,nats://*****@b");
  check("redis://u:a/b@host/1", "redis://*****@host/1"); /* refused later, and still hidden */
  assert_false(check("http://user:secret@host", "http://***********@host"));
  assert_null(strstr(message, "secret"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_schemes_choose_the_kind),
      cmocka_unit_test(test_other_urls_are_refused),
      cmocka_unit_test(test_secrets_are_hidden_in_every_url),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
