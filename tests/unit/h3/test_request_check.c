/* SPDX-License-Identifier: MIT */

/* src/h3/request_check.c: what the fields of a request have to be together. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "h3/request_check.h"

static enum wt__request_fault check(const char *const *fields) {
  struct wt__fields all;
  const char *why = NULL;
  wt__fields_init(&all, 4096);
  for (size_t i = 0; fields[i]; i += 2) assert_int_equal(wt__fields_add_text(&all, fields[i], fields[i + 1]), 0);
  enum wt__request_fault fault = wt__request_check(&all, &why);
  assert_int_equal(fault == WT__REQUEST_SOUND, why == NULL);
  wt__fields_free(&all);
  return fault;
}

#define CHECK(...) check((const char *const[]){__VA_ARGS__, NULL})

static void test_request_check_host_is_the_authority(void **state) {
  (void)state;
  assert_int_equal(CHECK(":authority", "localhost:4433"), WT__REQUEST_SOUND);
  assert_int_equal(CHECK("host", "localhost:4433"), WT__REQUEST_SOUND);
  assert_int_equal(CHECK(":authority", "localhost:4433", "host", "localhost:4433"), WT__REQUEST_SOUND);
  assert_int_equal(CHECK(":authority", "localhost", "host", "LocalHost"), WT__REQUEST_SOUND);
  assert_int_equal(CHECK(":authority", "localhost:4433", "host", "other"), WT__REQUEST_MALFORMED);
  assert_int_equal(CHECK(":authority", "localhost:4433", "host", "localhost"), WT__REQUEST_MALFORMED);
  assert_int_equal(CHECK(":authority", "localhost:4433", "host", ""), WT__REQUEST_MALFORMED);
  assert_int_equal(CHECK(":authority", "", "host", ""), WT__REQUEST_MALFORMED);
  assert_int_equal(CHECK("host", ""), WT__REQUEST_MALFORMED);
  assert_int_equal(CHECK(":authority", "user@localhost"), WT__REQUEST_MALFORMED);
}

static void test_request_check_single_fields_come_once(void **state) {
  (void)state;
  assert_int_equal(CHECK(":authority", "a", "origin", "https://a", "origin", "https://a"), WT__REQUEST_UNCLEAR);
  assert_int_equal(CHECK(":authority", "a", "origin", "https://a", "x", "1", "origin", "https://evil.example"),
                   WT__REQUEST_UNCLEAR);
  assert_int_equal(CHECK(":authority", "a", "authorization", "a", "authorization", "b"), WT__REQUEST_UNCLEAR);
  assert_int_equal(CHECK("host", "a", "host", "a"), WT__REQUEST_UNCLEAR);
  assert_int_equal(CHECK(":authority", "a", "cookie", "a=1", "cookie", "b=2", "accept", "a", "accept", "b"),
                   WT__REQUEST_SOUND);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_request_check_host_is_the_authority),
      cmocka_unit_test(test_request_check_single_fields_come_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
