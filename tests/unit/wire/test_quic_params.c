/* SPDX-License-Identifier: MIT */

/* src/wire/quic_params.c: found among others, under either number, not empty, cut at every byte. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/quic_params.h"

#define FIND(bytes) wt__quic_params_find_reset_at((const uint8_t *)(bytes), sizeof(bytes) - 1)

static void test_quic_params_finds_reset_at_among_others(void **state) {
  (void)state;
  assert_int_equal(FIND(""), WT__RESET_AT_ABSENT);
  assert_int_equal(FIND("\x01\x02\x47\xd0\x0e\x01\x07"), WT__RESET_AT_ABSENT);
  assert_int_equal(FIND("\x1d\x00"), WT__RESET_AT_PRESENT);
  assert_int_equal(FIND("\x01\x02\x47\xd0\x1d\x00\x0e\x01\x07"), WT__RESET_AT_PRESENT);
  assert_int_equal(FIND("\xc0\x17\xf7\x58\x6d\x2c\xb5\x71\x00"), WT__RESET_AT_PRESENT);
  assert_int_equal(FIND("\x02\x02\x1d\x00"), WT__RESET_AT_ABSENT); /* it is another one's value */
}

static void test_quic_params_with_a_value_are_malformed(void **state) {
  (void)state;
  assert_int_equal(FIND("\x1d\x01\x00"), WT__RESET_AT_MALFORMED);
  assert_int_equal(FIND("\x1d\x00\x1d\x01\x00"), WT__RESET_AT_MALFORMED);
  assert_int_equal(FIND("\xc0\x17\xf7\x58\x6d\x2c\xb5\x71\x01\x00"), WT__RESET_AT_MALFORMED);
  assert_int_equal(FIND("\x1d\x05\x00"), WT__RESET_AT_ABSENT); /* cut short: ngtcp2 refuses it */
}

static void test_quic_params_writes_what_it_finds(void **state) {
  (void)state;
  uint8_t params[WT__RESET_AT_PARAMS_LEN];
  assert_int_equal(wt__quic_params_write_reset_at(params), sizeof(params));
  assert_int_equal(wt__quic_params_find_reset_at(params, 2), WT__RESET_AT_PRESENT);
  assert_int_equal(wt__quic_params_find_reset_at(params + 2, sizeof(params) - 2), WT__RESET_AT_PRESENT);
  for (size_t len = 0; len < sizeof(params) - 2; len++)
    assert_int_equal(wt__quic_params_find_reset_at(params + 2, len), WT__RESET_AT_ABSENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_quic_params_finds_reset_at_among_others),
      cmocka_unit_test(test_quic_params_with_a_value_are_malformed),
      cmocka_unit_test(test_quic_params_writes_what_it_finds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
