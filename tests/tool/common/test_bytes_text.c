/* SPDX-License-Identifier: MIT */
/* Bytes in hexadecimal digits and in base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/bytes_text.h"

static void test_hex_is_read(void **state) {
  uint8_t bytes[4];
  size_t len = 0;
  (void)state;
  assert_true(bytes_from_hex("31441a", bytes, 4, &len));
  assert_int_equal(len, 3);
  assert_memory_equal(bytes, "\x31\x44\x1a", 3);
  assert_true(bytes_from_hex("0XabCDef01", bytes, 4, &len));
  assert_int_equal(len, 4);
  assert_memory_equal(bytes, "\xab\xcd\xef\x01", 4);
}

static void test_what_is_no_hex_is_refused(void **state) {
  static const char *const wrong[] = {"",   "0x",  "1",   "123",   "0x1",        "1g",
                                      "g1", " 12", "12 ", "12:34", "1234567890", "00x1"};
  uint8_t bytes[4];
  size_t len = 7;
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) assert_false(bytes_from_hex(wrong[i], bytes, 4, &len));
  assert_int_equal(len, 7);
}

static void test_base64_is_read(void **state) {
  uint8_t bytes[8];
  size_t len = 0;
  (void)state;
  assert_true(bytes_from_base64("MUQaAQIDBAU=", bytes, 8, &len));
  assert_int_equal(len, 8);
  assert_memory_equal(bytes, "\x31\x44\x1a\x01\x02\x03\x04\x05", 8);
  assert_true(bytes_from_base64("/w==", bytes, 8, &len));
  assert_int_equal(len, 1);
  assert_int_equal(bytes[0], 0xff);
  assert_true(bytes_from_base64("+/+/", bytes, 8, &len));
  assert_memory_equal(bytes, "\xfb\xff\xbf", 3);
}

static void test_what_is_no_base64_is_refused(void **state) {
  static const char *const wrong[] = {"",     "A",    "AA",   "AAA",  "AA=",  "A===", "====",         "=AAA",
                                      "AB==", "AAB=", "A A=", "AA=A", "AA_A", "AAA*", "AAAAAAAAAAAA", "AAAA\n"};
  uint8_t bytes[8];
  size_t len = 7;
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) assert_false(bytes_from_base64(wrong[i], bytes, 8, &len));
  assert_int_equal(len, 7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hex_is_read),
      cmocka_unit_test(test_what_is_no_hex_is_refused),
      cmocka_unit_test(test_base64_is_read),
      cmocka_unit_test(test_what_is_no_base64_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
