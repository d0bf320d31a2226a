/* SPDX-License-Identifier: MIT */

/* src/h3/request_form.c: which header sections are requests. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "h3/request_form.h"

static bool valid(const char *const *fields) {
  struct wt__fields all;
  wt__fields_init(&all, 4096);
  for (size_t i = 0; fields[i]; i += 2) assert_int_equal(wt__fields_add_text(&all, fields[i], fields[i + 1]), 0);
  bool result = wt__request_form_valid(&all);
  wt__fields_free(&all);
  return result;
}

#define VALID(...) assert_true(valid((const char *const[]){__VA_ARGS__, NULL}))
#define MALFORMED(...) assert_false(valid((const char *const[]){__VA_ARGS__, NULL}))

#define TO(scheme, authority, path) ":scheme", scheme, ":authority", authority, ":path", path
#define GET ":method", "GET", TO("https", "localhost:4433", "/")

static void test_request_form_takes_what_peers_send(void **state) {
  (void)state;
  VALID(GET);
  VALID(GET, "te", "trailers", "cookie", "a=1", "cookie", "b=2", "content-length", "0");
  VALID(":path", "/a?b=c%20d", ":scheme", "https", ":method", "X-OTHER", ":authority", "[::1]:4433");
  VALID(":method", "GET", ":scheme", "https", ":path", "/", "host", "localhost");
  VALID(":method", "OPTIONS", TO("https", "a", "*"));
  VALID(":method", "GET", TO("ftp", "a", "file"));
  VALID(":method", "CONNECT", ":authority", "example.com:443");
  VALID(":method", "CONNECT", ":protocol", "webtransport", TO("https", "localhost", "/wt"), "origin", "https://a");
  VALID(GET, "content-length", "9223372036854775807");
}

static void test_request_form_of_pseudo_header_fields(void **state) {
  (void)state;
  MALFORMED(":method", "GET", ":scheme", "https", ":authority", "a");
  MALFORMED(TO("https", "a", "/"));
  MALFORMED(":method", "GET", ":authority", "a", ":path", "/");
  MALFORMED(":method", "GET", ":scheme", "https", ":path", "/");
  MALFORMED(GET, ":method", "GET");
  MALFORMED(GET, ":path", "/");
  MALFORMED(GET, ":status", "200");
  MALFORMED(GET, ":other", "1");
  MALFORMED(":method", "GET", ":scheme", "https", ":path", "/", "x", "1", ":authority", "late");
  MALFORMED("x", "1");
  MALFORMED("x", "1", GET);
  assert_false(wt__request_form_valid(&(struct wt__fields){0}));
}

static void test_request_form_of_connect(void **state) {
  (void)state;
  MALFORMED(":method", "CONNECT", TO("https", "a", "/"));
  MALFORMED(":method", "CONNECT");
  MALFORMED(":method", "CONNECT", "host", "a");
  MALFORMED(GET, ":protocol", "webtransport");
  MALFORMED(":method", "CONNECT", ":protocol", "webtransport", ":scheme", "https", ":path", "/", "host", "a");
  MALFORMED(":method", "CONNECT", ":protocol", "webtransport", ":authority", "a");
  MALFORMED(":method", "CONNECT", ":protocol", "", TO("https", "a", "/"));
}

static void test_request_form_of_values(void **state) {
  (void)state;
  MALFORMED(":method", "", TO("https", "a", "/"));
  MALFORMED(":method", "G E T", TO("https", "a", "/"));
  MALFORMED(":method", "GET", TO("", "a", "/"));
  MALFORMED(":method", "GET", TO("1https", "a", "/"));
  MALFORMED(":method", "GET", TO("ht_tps", "a", "/"));
  MALFORMED(":method", "GET", TO("https", "", "/"));
  MALFORMED(":method", "GET", TO("https", "a b", "/"));
  MALFORMED(":method", "GET", TO("https", "a/b", "/"));
  MALFORMED(":method", "GET", TO("https", "a", ""));
  MALFORMED(":method", "GET", TO("https", "a", "file"));
  MALFORMED(":method", "GET", TO("https", "a", "*"));
  MALFORMED(":method", "GET", TO("https", "a", "/a b"));
  MALFORMED(":method", "GET", TO("https", "a", "/a\tb"));
}

static void test_request_form_of_other_fields(void **state) {
  (void)state;
  static const char *const forbidden[] = {"connection", "keep-alive", "proxy-connection", "transfer-encoding",
                                          "upgrade"};
  for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) MALFORMED(GET, forbidden[i], "close");
  MALFORMED(GET, "te", "gzip");
  MALFORMED(GET, "host", "a", "host", "a");
  MALFORMED(GET, "host", "");
  MALFORMED(GET, "content-length", "1", "content-length", "1");
  MALFORMED(GET, "content-length", "");
  MALFORMED(GET, "content-length", "-1");
  MALFORMED(GET, "content-length", "1, 1");
  MALFORMED(GET, "content-length", "9223372036854775808");
  MALFORMED(GET, "content-length", "99999999999999999999999");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_request_form_takes_what_peers_send),
      cmocka_unit_test(test_request_form_of_pseudo_header_fields),
      cmocka_unit_test(test_request_form_of_connect),
      cmocka_unit_test(test_request_form_of_values),
      cmocka_unit_test(test_request_form_of_other_fields),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
