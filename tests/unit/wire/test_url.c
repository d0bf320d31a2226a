/* SPDX-License-Identifier: MIT */

/* URLs of servers (wire/url.c). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "wire/url.h"

static void check(const char *text, const char *host, unsigned port, const char *authority, const char *path) {
  struct wt__url url;
  const char *why = "";
  if (wt__url_parse(&url, text, &why)) fail_msg("%s: %s", text, why);
  assert_string_equal(url.host, host);
  assert_int_equal(url.port, port);
  assert_string_equal(url.authority, authority);
  assert_string_equal(url.path, path);
  wt__url_free(&url);
  assert_null(url.authority);
  assert_null(url.path);
}

static void test_url_parts(void **state) {
  (void)state;
  check("https://example.org", "example.org", 443, "example.org", "/");
  check("https://example.org/", "example.org", 443, "example.org", "/");
  check("https://example.org:443/a", "example.org", 443, "example.org", "/a");
  check("https://example.org:/a", "example.org", 443, "example.org", "/a");
  check("https://example.org:4433/a/b?c=d&e#f", "example.org", 4433, "example.org:4433", "/a/b?c=d&e");
  check("https://example.org?x", "example.org", 443, "example.org", "/?x");
  check("https://example.org#x", "example.org", 443, "example.org", "/");
  check("HTTPS://Example.ORG/A", "example.org", 443, "example.org", "/A");
  check("https://example.org:9080/", "example.org", 9080, "example.org:9080", "/");
  check("https://192.0.2.7:1/", "192.0.2.7", 1, "192.0.2.7:1", "/");
  check("https://[2001:DB8::1]:65535/", "2001:db8::1", 65535, "[2001:db8::1]:65535", "/");
  check("https://[::ffff:192.0.2.1]", "::ffff:192.0.2.1", 443, "[::ffff:192.0.2.1]", "/");
  check("https://under_score.example.", "under_score.example.", 443, "under_score.example.", "/");
}

static void test_url_encodes_what_a_path_may_not_have(void **state) {
  (void)state;
  check("https://a/b c", "a", 443, "a", "/b%20c");
  check("https://a/\xc3\xa4?\"<>\\^`{}", "a", 443, "a", "/%C3%A4?%22%3C%3E%5C%5E%60%7B%7D");
  check("https://a/%41%zz?%", "a", 443, "a", "/%41%zz?%"); /* what is there stays */
  check("https://a/!$&'()*+,;=:@-._~|[]", "a", 443, "a", "/!$&'()*+,;=:@-._~|[]");
}

static void test_url_says_what_is_wrong(void **state) {
  static const struct {
    const char *text, *why;
  } cases[] = {
      {"", "it is empty"},
      {NULL, "it is empty"},
      {"http://a/", "it does not begin with https://"},
      {"example.org:4433", "it does not begin with https://"},
      {"https:/a", "it does not begin with https://"},
      {"https://", "the host is missing"},
      {"https:///x", "the host is missing"},
      {"https://:443/", "the host is missing"},
      {"https://me@a/", "a user name cannot be given"},
      {"https://me:secret@a/", "a user name cannot be given"},
      {"https://a:0/", "the port is not a number from 1 to 65535"},
      {"https://a:65536/", "the port is not a number from 1 to 65535"},
      {"https://a:99999999999999999999/", "the port is not a number from 1 to 65535"},
      {"https://a:+1/", "the port is not a number from 1 to 65535"},
      {"https://a:1 /", "the port is not a number from 1 to 65535"},
      {"https://::1/", "the host is missing"},
      {"https://2001:db8::1/", "an IPv6 address needs brackets"},
      {"https://[::1/", "brackets do not match"},
      {"https://[::1]x/", "what follows the brackets is no port"},
      {"https://[::1]:x/", "the port is not a number from 1 to 65535"},
      {"https://[example.org]/", "what stands in brackets is no IPv6 address"},
      {"https://[]/", "what stands in brackets is no IPv6 address"},
      {"https://[fe80::1%eth0]/", "an IPv6 address with a zone cannot be used in a URL"},
      {"https://b\xc3\xbc"
       "cher.example/",
       "the host has characters beyond ASCII; write it in its \"xn--\" form"},
      {"https://a b/", "the host has a character that no host name has"},
      {"https://a%41/", "the host has a character that no host name has"},
      {"https://.a/", "the host has an empty label"},
      {"https://a..b/", "the host has an empty label"},
      {"https://a/\n", "the path has a control character"},
      {"https://a/?\x7f", "the path has a control character"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct wt__url url;
    const char *why = "";
    int64_t live = wt__mem_live();
    int error = wt__url_parse(&url, cases[i].text, &why);
    if (error != WT_ERR_ADDRESS) fail_msg("%s: %d", cases[i].text, error);
    assert_string_equal(why, cases[i].why);
    assert_int_equal(wt__mem_live(), live);
  }
}

static void test_url_has_bounds(void **state) {
  static char text[WT__URL_MAX + 2];
  struct wt__url url;
  const char *why = "";
  (void)state;
  memset(text, 'a', sizeof(text) - 1);
  memcpy(text, "https://a/", 10);
  assert_int_equal(wt__url_parse(&url, text, &why), WT_ERR_ADDRESS);
  assert_string_equal(why, "it is longer than 8192 bytes");
  text[WT__URL_MAX] = '\0';
  assert_int_equal(wt__url_parse(&url, text, &why), 0);
  assert_int_equal(strlen(url.path), WT__URL_MAX - 9);
  wt__url_free(&url);
  text[9] = 'a';
  assert_int_equal(wt__url_parse(&url, text, &why), WT_ERR_ADDRESS);
  assert_string_equal(why, "the host is too long");
}

static void test_url_without_memory(void **state) {
  struct wt__url url;
  const char *why = "";
  (void)state;
  int64_t live = wt__mem_live();
  for (size_t i = 0; i < 2; i++) {
    wt__mem_fail_after(i);
    assert_int_equal(wt__url_parse(&url, "https://a/b", &why), WT_ERR_NOMEM);
    wt__mem_fail_after(SIZE_MAX);
    assert_int_equal(wt__mem_live(), live);
  }
}

static void test_url_host_of_each_character(void **state) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  char text[64];
  (void)state;
  for (int c = 1; c < 256; c++) {
    struct wt__url url;
    const char *why = NULL;
    if (strchr(":/?#@\\", c)) continue; /* what ends a host is not of it */
    (void)snprintf(text, sizeof(text), "https://a%cb/", c);
    bool good = wt__url_parse(&url, text, &why) == 0;
    if (good != (strchr(allowed, c) != NULL)) fail_msg("'%s' is judged wrongly", text);
    if (!good) continue;
    assert_int_equal(url.host[1], c >= 'A' && c <= 'Z' ? c + 32 : c);
    wt__url_free(&url);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_url_parts),
      cmocka_unit_test(test_url_encodes_what_a_path_may_not_have),
      cmocka_unit_test(test_url_says_what_is_wrong),
      cmocka_unit_test(test_url_has_bounds),
      cmocka_unit_test(test_url_without_memory),
      cmocka_unit_test(test_url_host_of_each_character),
  };
  return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
