/* SPDX-License-Identifier: MIT */

/* The envelope of a message: what is written is read; all else is refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "envelope.h"

static void test_envelope_round_trip(void **state) {
  struct wt__envelope in = {.epoch = 0x0102030405060708, .number = UINT64_MAX}, out;
  uint8_t bytes[WT__ENVELOPE_HEAD + 3] = {0};
  (void)state;
  memcpy(in.publisher, "0123456789abcdef", 16);
  memcpy(bytes + WT__ENVELOPE_HEAD, "abc", 3);
  wt__envelope_write(bytes, &in);
  assert_int_equal(bytes[0], 1);
  assert_int_equal(bytes[17], 1); /* network byte order */
  assert_int_equal(bytes[24], 8);
  assert_true(wt__envelope_read(&out, bytes, sizeof(bytes)));
  assert_memory_equal(out.publisher, in.publisher, 16);
  assert_true(out.epoch == in.epoch && out.number == in.number);
  assert_ptr_equal(out.data, bytes + WT__ENVELOPE_HEAD);
  assert_int_equal(out.len, 3);
  assert_true(wt__envelope_read(&out, bytes, WT__ENVELOPE_HEAD)); /* an empty message */
  assert_int_equal(out.len, 0);
}

static void test_envelope_refused(void **state) {
  struct wt__envelope in = {.epoch = 1, .number = 1}, out;
  uint8_t bytes[WT__ENVELOPE_HEAD];
  (void)state;
  wt__envelope_write(bytes, &in);
  for (size_t len = 0; len < sizeof(bytes); len++) assert_false(wt__envelope_read(&out, bytes, len));
  bytes[0] = 2; /* another version */
  assert_false(wt__envelope_read(&out, bytes, sizeof(bytes)));
  in.number = 0;
  wt__envelope_write(bytes, &in);
  assert_false(wt__envelope_read(&out, bytes, sizeof(bytes)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_envelope_round_trip),
      cmocka_unit_test(test_envelope_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
