/* SPDX-License-Identifier: MIT */
/* The head of a message of fan-out, byte by byte: clients of other make write and read it, too. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bench/fan_message.h"

static const struct fan_message message = {
    .run = 0x01020304, .publisher = 0x05060708, .number = 0x1112131415161718, .due = 0x2122232425262728};
static const uint8_t bytes[FAN_MESSAGE_HEAD] = {1,    2,    3,    4,    5,    6,    7,    8,    0x11, 0x12, 0x13, 0x14,
                                                0x15, 0x16, 0x17, 0x18, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28};

static void test_numbers_are_in_network_order(void **state) {
  uint8_t data[FAN_MESSAGE_HEAD + 1] = {[FAN_MESSAGE_HEAD] = 0x7e};
  (void)state;
  fan_message_write(data, &message);
  assert_memory_equal(data, bytes, sizeof bytes);
  assert_int_equal(data[FAN_MESSAGE_HEAD], 0x7e);
}

static void test_what_is_written_is_read(void **state) {
  struct fan_message read;
  (void)state;
  fan_message_read(bytes, &read);
  assert_int_equal(read.run, message.run);
  assert_int_equal(read.publisher, message.publisher);
  assert_int_equal(read.number, message.number);
  assert_int_equal(read.due, message.due);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers_are_in_network_order),
      cmocka_unit_test(test_what_is_written_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
