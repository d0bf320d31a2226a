/* SPDX-License-Identifier: MIT */

/* src/wire/error_code.c: the mapping of application codes at its ends and around its holes, and names. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "wire/error_code.h"

static bool reserved(uint64_t wire) { return (wire - 0x21) % 0x1f == 0; }

static void test_error_code_ends_of_the_range(void **state) {
  (void)state;
  uint32_t code = 1;
  assert_true(wt__error_to_wire(0) == UINT64_C(0x52e4a40fa8db));
  assert_true(wt__error_to_wire(UINT32_MAX) == UINT64_C(0x52e5ac983162));
  assert_true(wt__error_from_wire(UINT64_C(0x52e4a40fa8db), &code));
  assert_int_equal(code, 0);
  assert_true(wt__error_from_wire(UINT64_C(0x52e5ac983162), &code));
  assert_true(code == UINT32_MAX);
}

static void test_error_code_outside_the_range_has_no_meaning(void **state) {
  (void)state;
  static const uint64_t outside[] = {
      0, 0x33, 0x100, 0x170d7b68, WT__APPLICATION_ERROR_FIRST - 1, WT__APPLICATION_ERROR_LAST + 1, UINT64_MAX};
  for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
    uint32_t code = 4711;
    assert_false(wt__error_from_wire(outside[i], &code));
    assert_int_equal(code, 4711);
  }
}

static void test_error_code_reserved_codepoints_are_skipped(void **state) {
  (void)state;
  uint64_t expected = 0, holes = 0;
  /* From the start: codes count up over every codepoint that is not reserved. */
  for (uint64_t wire = WT__APPLICATION_ERROR_FIRST; wire < WT__APPLICATION_ERROR_FIRST + 100000; wire++) {
    uint32_t code = 0;
    assert_int_equal(wt__error_from_wire(wire, &code), !reserved(wire));
    if (reserved(wire)) {
      holes++;
      continue;
    }
    assert_true(code == expected);
    assert_true(wt__error_to_wire(code) == wire);
    expected++;
  }
  assert_true(holes == 100000 / 31);
}

static void test_error_code_round_trip(void **state) {
  (void)state;
  uint32_t code = 0, back;
  uint64_t last = 0;
  do {
    uint64_t wire = wt__error_to_wire(code);
    assert_false(reserved(wire));
    assert_true(wire > last);
    assert_true(wt__error_from_wire(wire, &back));
    assert_true(back == code);
    last = wire;
    code += 9973;
  } while (code >= 9973); /* until it wraps */
  static const uint32_t some[] = {29, 30, 31, 42, 127, 255, 0x7fffffff, 0x80000000, UINT32_MAX - 1};
  for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
    assert_true(wt__error_from_wire(wt__error_to_wire(some[i]), &back));
    assert_true(back == some[i]);
  }
}

static void test_error_code_for_applications(void **state) {
  uint32_t code = 1;
  (void)state;
  assert_true(wt_error_code_to_wire(0) == WT__APPLICATION_ERROR_FIRST);
  assert_true(wt_error_code_to_wire(UINT32_MAX) == WT__APPLICATION_ERROR_LAST);
  assert_true(wt_error_code_from_wire(wt_error_code_to_wire(4242), &code));
  assert_int_equal(code, 4242);
  assert_false(wt_error_code_from_wire(WT__H3_NO_ERROR, &code));
  assert_int_equal(code, 0);
  assert_true(wt_error_code_from_wire(WT__APPLICATION_ERROR_FIRST, NULL));
  assert_false(wt_error_code_from_wire(UINT64_MAX, NULL));
}

static void test_error_code_names(void **state) {
  (void)state;
  assert_string_equal(wt__wire_error_name(0x108), "H3_ID_ERROR");
  assert_string_equal(wt__wire_error_name(0x33), "H3_DATAGRAM_ERROR");
  assert_string_equal(wt__wire_error_name(0x202), "QPACK_DECODER_STREAM_ERROR");
  assert_string_equal(wt__wire_error_name(0x3994bd84), "WT_BUFFERED_STREAM_REJECTED");
  assert_string_equal(wt__wire_error_name(WT__WT_SESSION_GONE), "WT_SESSION_GONE");
  assert_null(wt__wire_error_name(0));
  assert_null(wt__wire_error_name(0x21));
  assert_null(wt__wire_error_name(WT__APPLICATION_ERROR_FIRST));
  assert_null(wt__wire_error_name(UINT64_C(0x100000108))); /* not cut to 32 bits */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_error_code_ends_of_the_range),
      cmocka_unit_test(test_error_code_outside_the_range_has_no_meaning),
      cmocka_unit_test(test_error_code_reserved_codepoints_are_skipped),
      cmocka_unit_test(test_error_code_round_trip),
      cmocka_unit_test(test_error_code_for_applications),
      cmocka_unit_test(test_error_code_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
