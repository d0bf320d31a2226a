/* SPDX-License-Identifier: MIT */
/* URLs of HTTP servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/http_url.h"

static struct http_url url;
static char message[200];

static bool parse(const char *text) { return http_url_parse(text, true, &url, message, sizeof message); }

static void test_parts(void **state) {
  (void)state;
  assert_true(parse("http://127.0.0.1:9091/verify?x=1"));
  assert_false(url.is_https);
  assert_string_equal(url.address.host, "127.0.0.1");
  assert_int_equal(url.address.port, 9091);
  assert_true(parse("HTTPS://auth.example.com/"));
  assert_true(url.is_https);
  assert_string_equal(url.address.host, "auth.example.com");
  assert_int_equal(url.address.port, 443);
  assert_true(parse("http://[::1]"));
  assert_string_equal(url.address.host, "::1");
  assert_int_equal(url.address.port, 80);
  assert_true(http_url_parse("http://[::1]:8080", false, &url, message, sizeof message));
  assert_int_equal(url.address.port, 8080);
}

static void test_refused(void **state) {
  (void)state;
  static const char *const bad[] = {"ftp://a/",     "http:/a",         "http://",     "http:///x",   "http://user@a/",
                                    "http://a/#f",  "http://a:0/",     "http://a:x/", "http://a b/", "http://[::1/",
                                    "http://a?q=1", "http://a:70000/", "http://a/\n"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    message[0] = 0;
    assert_false(parse(bad[i]));
    assert_true(message[0]);
  }
  assert_false(http_url_parse("http://a/x", false, &url, message, sizeof message));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parts),
      cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
