/* SPDX-License-Identifier: MIT */
/* The datagrams of /tick in bytes, and when ticks are due. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/tick.h"

static void test_numbers_are_in_network_order(void **state) {
  static const uint8_t wanted[TICK_BYTES_MIN] = {1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0,
                                                 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 255};
  const struct tick tick = {.number = 0x0102030405060708, .next = 256, .received = 255};
  uint8_t data[TICK_BYTES_MIN];
  struct tick back;
  (void)state;
  tick_write(data, &tick);
  assert_memory_equal(data, wanted, sizeof data);
  tick_read(data, &back);
  assert_true(back.number == tick.number && back.next == tick.next && back.received == tick.received);
  move_write(data, UINT64_MAX - 1);
  assert_true(move_read(data) == UINT64_MAX - 1);
}

static void test_ticks_are_on_a_grid_without_drift(void **state) {
  (void)state;
  assert_int_equal(tick_due(0, 60), 0);
  assert_int_equal(tick_due(1, 60), 16666666);
  assert_int_equal(tick_due(60, 60), NS_PER_S);
  assert_int_equal(tick_due(UINT64_C(60) * 86400 * 365, 60), 365 * NS_PER_DAY);
}

static void test_each_tick_is_found_at_its_time(void **state) {
  (void)state;
  for (uint64_t hz = 1; hz <= TICK_HZ_MAX; hz++) {
    for (uint64_t number = 0; number <= 2 * hz; number++) {
      uint64_t due = tick_due(number, hz);
      assert_int_equal(tick_at(due, hz), number);
      if (number) assert_int_equal(tick_at(due - 1, hz), number - 1);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers_are_in_network_order),
      cmocka_unit_test(test_ticks_are_on_a_grid_without_drift),
      cmocka_unit_test(test_each_tick_is_found_at_its_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
