/* SPDX-License-Identifier: MIT */

/* src/h3/message_form.c: which field sections are requests, responses and trailers. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "h3/message_form.h"

static struct wt__message_form form;

enum part {
  REQUEST,
  RESPONSE,
  RESPONSE_TO_HEAD,
  RESPONSE_TO_CONNECT,
  TRAILERS,
};

static bool form_read(enum part part, const struct wt__fields *fields) {
  switch (part) {
    case REQUEST: return wt__request_form(fields, &form);
    case RESPONSE: return wt__response_form(fields, WT__RESPONSE_TO_OTHER, &form);
    case RESPONSE_TO_HEAD: return wt__response_form(fields, WT__RESPONSE_TO_HEAD, &form);
    case RESPONSE_TO_CONNECT: return wt__response_form(fields, WT__RESPONSE_TO_CONNECT, &form);
    default: return wt__trailer_form(fields);
  }
}

static bool valid(enum part part, const char *const *fields) {
  struct wt__fields all;
  wt__fields_init(&all, 4096);
  for (size_t i = 0; fields[i]; i += 2) assert_int_equal(wt__fields_add_text(&all, fields[i], fields[i + 1]), 0);
  bool result = form_read(part, &all);
  wt__fields_free(&all);
  return result;
}

#define VALID_PART(part, ...) assert_true(valid(part, (const char *const[]){__VA_ARGS__, NULL}))
#define MALFORMED_PART(part, ...) assert_false(valid(part, (const char *const[]){__VA_ARGS__, NULL}))
#define VALID(...) VALID_PART(REQUEST, __VA_ARGS__)
#define MALFORMED(...) MALFORMED_PART(REQUEST, __VA_ARGS__)

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
  assert_false(form_read(REQUEST, &(struct wt__fields){0}));
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

static void test_request_form_tells_the_length_of_the_content(void **state) {
  (void)state;
  VALID(GET);
  assert_int_equal(form.content_length, -1);
  VALID(GET, "content-length", "12");
  assert_int_equal(form.content_length, 12);
  VALID(":method", "CONNECT", ":authority", "example.com:443", "content-length", "12");
  assert_int_equal(form.content_length, -1);
  VALID(":method", "CONNECT", ":protocol", "webtransport", TO("https", "localhost", "/wt"), "content-length", "3");
  assert_int_equal(form.content_length, 3);
}

static void expect_response(enum part part, const char *status, const char *length, int64_t expected) {
  VALID_PART(part, ":status", status, length ? "content-length" : "x", length ? length : "y");
  assert_int_equal(form.status, atoi(status));
  assert_int_equal(form.content_length, expected);
}

static void test_response_form_tells_status_and_length(void **state) {
  (void)state;
  expect_response(RESPONSE, "200", NULL, -1);
  expect_response(RESPONSE, "200", "5", 5);
  expect_response(RESPONSE, "999", "0", 0);
  expect_response(RESPONSE, "204", NULL, 0);
  expect_response(RESPONSE, "204", "0", 0);
  expect_response(RESPONSE, "304", "100", 0);
  expect_response(RESPONSE, "103", "what it will be", -1);
  expect_response(RESPONSE_TO_HEAD, "200", "100", 0);
  expect_response(RESPONSE_TO_HEAD, "404", NULL, 0);
  expect_response(RESPONSE_TO_CONNECT, "200", "not a number", -1);
  expect_response(RESPONSE_TO_CONNECT, "403", "5", -1);
  VALID_PART(RESPONSE, ":status", "200", "host", "a", "host", "b", "te", "trailers");
}

static void test_response_form_of_malformed_ones(void **state) {
  (void)state;
  static const char *const statuses[] = {"", "0", "20", "2000", "099", "101", "2x0", "+20", "-20"};
  for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) MALFORMED_PART(RESPONSE, ":status", statuses[i]);
  assert_false(form_read(RESPONSE, &(struct wt__fields){0}));
  MALFORMED_PART(RESPONSE, "x", "1");
  MALFORMED_PART(RESPONSE, "x", "1", ":status", "200");
  MALFORMED_PART(RESPONSE, ":status", "200", ":status", "200");
  MALFORMED_PART(RESPONSE, ":status", "200", ":path", "/");
  MALFORMED_PART(RESPONSE, ":status", "200", ":other", "1");
  MALFORMED_PART(RESPONSE, ":status", "200", "connection", "close");
  MALFORMED_PART(RESPONSE, ":status", "200", "te", "gzip");
  MALFORMED_PART(RESPONSE, ":status", "200", "content-length", "x");
  MALFORMED_PART(RESPONSE, ":status", "200", "content-length", "1", "content-length", "1");
  MALFORMED_PART(RESPONSE, ":status", "204", "content-length", "1");
  MALFORMED_PART(RESPONSE_TO_CONNECT, ":status", "403", "content-length", "x");
}

static void test_trailer_form(void **state) {
  (void)state;
  VALID_PART(TRAILERS, "x", "1", "x", "2", "content-length", "no matter");
  assert_true(form_read(TRAILERS, &(struct wt__fields){0}));
  MALFORMED_PART(TRAILERS, ":status", "200");
  MALFORMED_PART(TRAILERS, ":path", "/");
  MALFORMED_PART(TRAILERS, ":other", "1");
  MALFORMED_PART(TRAILERS, "connection", "close");
  MALFORMED_PART(TRAILERS, "te", "gzip");
  MALFORMED_PART(TRAILERS, "host", "a");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_request_form_takes_what_peers_send),
      cmocka_unit_test(test_request_form_of_pseudo_header_fields),
      cmocka_unit_test(test_request_form_of_connect),
      cmocka_unit_test(test_request_form_of_values),
      cmocka_unit_test(test_request_form_of_other_fields),
      cmocka_unit_test(test_request_form_tells_the_length_of_the_content),
      cmocka_unit_test(test_response_form_tells_status_and_length),
      cmocka_unit_test(test_response_form_of_malformed_ones),
      cmocka_unit_test(test_trailer_form),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
