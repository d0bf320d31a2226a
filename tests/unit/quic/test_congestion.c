/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quic/congestion.h"

static void test_congestion_control_has_a_name(void **state) {
  (void)state;
  assert_string_equal(wt_congestion_control_name(WT_CONGESTION_CONTROL_CUBIC), "cubic");
  assert_string_equal(wt_congestion_control_name(WT_CONGESTION_CONTROL_BBR), "bbr");
  assert_string_equal(wt_congestion_control_name(WT_CONGESTION_CONTROL_RENO), "reno");
  assert_string_equal(wt_congestion_control_name((enum wt_congestion_control)3), "unknown");
  assert_string_equal(wt_congestion_control_name((enum wt_congestion_control) - 1), "unknown");
}

static void test_congestion_control_is_one_of_ngtcp2(void **state) {
  (void)state;
  assert_int_equal(wt__congestion_algorithm(WT_CONGESTION_CONTROL_CUBIC), NGTCP2_CC_ALGO_CUBIC);
  assert_int_equal(wt__congestion_algorithm(WT_CONGESTION_CONTROL_BBR), NGTCP2_CC_ALGO_BBR);
  assert_int_equal(wt__congestion_algorithm(WT_CONGESTION_CONTROL_RENO), NGTCP2_CC_ALGO_RENO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_congestion_control_has_a_name),
      cmocka_unit_test(test_congestion_control_is_one_of_ngtcp2),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
