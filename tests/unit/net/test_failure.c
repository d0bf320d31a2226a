/* SPDX-License-Identifier: MIT */

/* src/net/failure.c: the sentence that a dial or a request ends with, by what ended its connection. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/failure.h"

static struct wt__failure failure_of(struct wt__h3_end end, const char *reason) {
  struct wt__failure failure;
  (void)strncpy(end.reason, reason, sizeof(end.reason) - 1);
  wt__failure_of_end(&failure, &end);
  assert_int_equal(failure.error, end.error);
  assert_int_equal(failure.by, end.by);
  assert_int_equal(failure.wire_code, end.wire_code);
  assert_int_equal(failure.wire_is_h3, end.is_h3);
  return failure;
}

static void test_failure_names_the_code_of_the_server(void **state) {
  struct wt__h3_end end = {.error = WT_ERR_CLOSED, .by = WT_PEER, .is_h3 = true, .wire_code = 0x0107};
  struct wt__failure failure = failure_of(end, "too much");
  (void)state;
  assert_string_equal(failure.message, "the server closed the connection with H3_EXCESSIVE_LOAD: too much");
  end.wire_code = 0x12345;
  failure = failure_of(end, "");
  assert_string_equal(failure.message, "the server closed the connection with the HTTP/3 code 0x12345");
  end.is_h3 = false;
  end.wire_code = 0x0107; /* a name of HTTP/3 means nothing to QUIC */
  failure = failure_of(end, "");
  assert_string_equal(failure.message, "the server closed the connection with the QUIC code 0x107");
}

static void test_failure_of_other_ends_is_their_reason(void **state) {
  struct wt__h3_end end = {.error = WT_ERR_CLOSED, .by = WT_LOCAL, .is_h3 = true, .wire_code = 0x0100};
  struct wt__failure failure = failure_of(end, "it was closed");
  (void)state;
  assert_string_equal(failure.message, "it was closed");
  failure = failure_of(end, "");
  assert_string_equal(failure.message, wt_error_string(WT_ERR_CLOSED));
  end.error = WT_ERR_TLS;
  end.by = WT_PEER;
  failure = failure_of(end, "");
  assert_string_equal(failure.message, wt_error_string(WT_ERR_TLS));
  end.error = WT_ERR_SETTINGS;
  failure = failure_of(end, "no extended CONNECT");
  assert_string_equal(failure.message, "the server does not speak WebTransport: no extended CONNECT");
}

static void test_failure_is_replaced_whole_and_cut(void **state) {
  struct wt__failure failure = {.error = 1, .wire_code = 7, .wire_is_h3 = true};
  char text[2 * WT__FAILURE_MAX];
  (void)state;
  memset(text, 'x', sizeof(text) - 1);
  text[sizeof(text) - 1] = '\0';
  wt__failure_set(&failure, WT_ERR_TIMEOUT, WT_LOCAL, "%s", text);
  assert_int_equal(failure.error, WT_ERR_TIMEOUT);
  assert_int_equal(failure.wire_code, 0);
  assert_false(failure.wire_is_h3);
  assert_int_equal(strlen(failure.message), WT__FAILURE_MAX - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_failure_names_the_code_of_the_server),
      cmocka_unit_test(test_failure_of_other_ends_is_their_reason),
      cmocka_unit_test(test_failure_is_replaced_whole_and_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
