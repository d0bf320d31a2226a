/* SPDX-License-Identifier: MIT */
/* Base64 of tokens and keys: one text for each meaning, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base64.h"

static uint8_t out[64];
static size_t len;

static bool url(const char *text) { return base64_url_decode(text, strlen(text), out, sizeof out, &len); }
static bool pem(const char *text) { return base64_pem_decode(text, strlen(text), out, sizeof out, &len); }

static void test_good_texts(void **state) {
  (void)state;
  assert_true(url("") && len == 0);
  assert_true(url("Zg") && len == 1 && out[0] == 'f');
  assert_true(url("Zm9vYmE") && len == 5 && !memcmp(out, "fooba", 5));
  assert_true(url("-_-_") && len == 3 && out[0] == 0xfb && out[2] == 0xbf);
  assert_true(pem("Zm9v\nYmE=\n") && len == 5 && !memcmp(out, "fooba", 5));
  assert_true(pem("+/+/") && len == 3 && out[0] == 0xfb);
}

static void test_bad_texts(void **state) {
  (void)state;
  static const char *const bad[] = {"Z", "Zh", "Zm9=", "Zm9v!", "Zm 9v", "+/+/", "Zm9vYmF", "Zg==", "Zg.", "\xc3\xbc"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(url(bad[i]));
  static const char *const bad_pem[] = {"Zg", "Zg=", "Zg===", "=Zg=", "-_-_", "Z===", "Zh=="};
  for (size_t i = 0; i < sizeof bad_pem / sizeof bad_pem[0]; i++) assert_false(pem(bad_pem[i]));
}

static void test_room(void **state) {
  (void)state;
  assert_true(base64_url_decode("Zm9v", 4, out, 3, &len));
  assert_false(base64_url_decode("Zm9v", 4, out, 2, &len));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good_texts),
      cmocka_unit_test(test_bad_texts),
      cmocka_unit_test(test_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
