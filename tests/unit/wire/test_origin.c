/* SPDX-License-Identifier: MIT */

/* src/wire/origin.c: the same origin in its spellings, and everything that is not. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/origin.h"

static void test_origin_same_host_and_port(void **state) {
  (void)state;
  static const char *const same[][2] = {
      {"https://example.com", "example.com"},
      {"https://example.com:443", "example.com"},
      {"https://example.com", "example.com:443"},
      {"https://example.com:4433", "example.com:4433"},
      {"https://EXAMPLE.com", "example.COM"},
      {"https://example.com.", "example.com."},
      {"https://my_service.:4433", "my_service.:4433"},
      {"HTTPS://example.com", "example.com"},
      {"https://127.0.0.1:4433", "127.0.0.1:4433"},
      {"https://[::1]:4433", "[::1]:4433"},
      {"https://[2001:DB8::1]", "[2001:db8::1]:443"},
      {"https://xn--bcher-kva.example", "xn--bcher-kva.example"},
      {"https://a_b.example:65535", "a_b.example:65535"},
  };
  for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) assert_true(wt__origin_same(same[i][0], same[i][1]));
}

static void test_origin_other_is_not_the_same(void **state) {
  (void)state;
  static const char *const other[][2] = {
      {"https://example.com", "example.org"},
      {"https://example.com", "example.com:4433"},
      {"https://example.com:4433", "example.com"},
      {"http://example.com", "example.com"},
      {"http://example.com:443", "example.com:443"},
      {"wss://example.com", "example.com"},
      {"https://www.example.com", "example.com"},
      {"https://example.com", "example.com.evil.org"},
      {"https://example.com.evil.org", "example.com"},
      {"https://[::1]", "[::2]"},
      {"https://example.com", "example.co"},
      {"https://example.com.", "example.com"},
      {"null", "null"},
      {"null", "example.com"},
  };
  for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
    assert_false(wt__origin_same(other[i][0], other[i][1]));
  }
}

static void test_origin_unparsable_is_never_the_same(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",
      "https:",
      "https:/",
      "https://",
      "example.com",
      "//example.com",
      "://example.com",
      "1https://example.com",
      "https://example.com/",
      "https://example.com/path",
      "https://example.com?",
      "https://user@example.com",
      "https://user:pw@example.com",
      "https://example.com:",
      "https://example.com:443x",
      "https://example.com:x",
      "https://example.com:65536",
      "https://example.com:99999999999999999999",
      "https://example.com:-1",
      "https://:443",
      " https://example.com",
      "https://example.com ",
      "https://example.com https://example.com",
      "https://example.com,https://example.com",
      "https://exam ple.com",
      "https://ex\xc3\xa4mple.com",
      "https://example.com\\",
      "https://%65xample.com",
      "https://[]",
      "https://[:]",
      "https://[::1",
      "https://::1",
      "https://[::g]",
      "https://[::1]x",
      "https://[fe80::1%25eth0]",
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_false(wt__origin_same(bad[i], "example.com"));
    /* what one call has read is nothing to the next */
    assert_true(wt__origin_equal("https://example.com", "https://example.com"));
    assert_false(wt__origin_equal(bad[i], bad[i]));
  }
  assert_false(wt__origin_same(NULL, "example.com"));
  assert_false(wt__origin_equal("https://a", NULL));
}

static void test_origin_bad_authority_is_never_the_same(void **state) {
  (void)state;
  static const char *const bad[] = {"", ":443", "example.com:", "example.com/", "user@example.com", "example.com:443 "};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_false(wt__origin_same("https://example.com", bad[i]));
  assert_false(wt__origin_same("https://example.com", NULL));
}

static void test_origin_equal_knows_default_ports(void **state) {
  (void)state;
  assert_true(wt__origin_equal("https://example.com", "HTTPS://Example.com:443"));
  assert_true(wt__origin_equal("http://localhost:80", "http://localhost"));
  assert_true(wt__origin_equal("http://localhost:8080", "http://localhost:8080"));
  assert_true(wt__origin_equal("chrome-extension://abcdef", "chrome-extension://abcdef"));
  assert_true(wt__origin_equal("wss://a", "wss://a:443"));
  assert_true(wt__origin_equal("ws://a:80", "ws://a"));
  assert_false(wt__origin_equal("chrome-extension://abcdef", "chrome-extension://abcdef:0"));
  assert_false(wt__origin_equal("http://example.com", "https://example.com"));
  assert_false(wt__origin_equal("http://example.com:443", "https://example.com"));
  assert_false(wt__origin_equal("https://a.example", "https://b.example"));
  assert_false(wt__origin_equal("https://a.example:1", "https://a.example:2"));
  assert_false(wt__origin_equal("null", "null"));
}

static void check_each(const char *format, const char *allowed) {
  char text[64];
  for (unsigned c = 1; c < 256; c++) {
    (void)snprintf(text, sizeof(text), format, (int)c);
    if (wt__origin_equal(text, text) != (strchr(allowed, (int)c) != NULL)) fail_msg("'%s' is judged wrongly", text);
  }
}

static void test_origin_of_each_character(void **state) {
  char lower[] = "https://a-", upper[] = "HTTPS://A-";
  (void)state;
  check_each("x%c://a", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
  check_each("%cx://a", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
  check_each("https://a%cb", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
  check_each("https://[::%c]", "abcdefABCDEF0123456789:.");
  check_each("https://a:1%c", "0123456789");
  for (char c = 0; c < 26; c++) {
    lower[9] = (char)('a' + c);
    upper[9] = (char)('A' + c);
    assert_true(wt__origin_equal(lower, upper));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_origin_same_host_and_port),
      cmocka_unit_test(test_origin_other_is_not_the_same),
      cmocka_unit_test(test_origin_unparsable_is_never_the_same),
      cmocka_unit_test(test_origin_bad_authority_is_never_the_same),
      cmocka_unit_test(test_origin_equal_knows_default_ports),
      cmocka_unit_test(test_origin_of_each_character),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
