/* SPDX-License-Identifier: MIT */
/* Readers of option values: what they take, what they refuse, and how exactly. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/hash_text.h"
#include "common/values.h"

static char message[200];

static void test_number_takes_digits_within_bounds(void **state) {
  uint64_t number;
  (void)state;
  assert_true(value_number("0", 0, 10, &number, message, sizeof message));
  assert_int_equal(number, 0);
  assert_true(value_number("007", 1, 10, &number, message, sizeof message));
  assert_int_equal(number, 7);
  assert_true(value_number("18446744073709551615", 0, UINT64_MAX, &number, message, sizeof message));
  assert_true(number == UINT64_MAX);
}

static void test_number_refuses_all_else(void **state) {
  static const char *const wrong[] = {
      "", " 1", "1 ", "-1", "+1", "1.5", "1e3", "0x1", "11", "one", "18446744073709551616", "99999999999999999999999"};
  uint64_t number;
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    message[0] = 0;
    assert_false(value_number(wrong[i], 0, 10, &number, message, sizeof message));
    assert_string_equal(message, "expected a number from 0 to 10");
  }
  assert_false(value_number("18446744073709551616", 0, UINT64_MAX, &number, message, sizeof message));
}

static uint64_t time_of(const char *text) {
  uint64_t ns = 12345;
  assert_true(value_time(text, 0, UINT64_MAX, &ns, message, sizeof message));
  return ns;
}

static void test_time_has_units_and_exact_fractions(void **state) {
  (void)state;
  assert_true(time_of("0") == 0);
  assert_true(time_of("2") == UINT64_C(2000000000));
  assert_true(time_of("1.5s") == UINT64_C(1500000000));
  assert_true(time_of("0.1s") == UINT64_C(100000000));
  assert_true(time_of("0.000000001") == 1);
  assert_true(time_of("500ms") == UINT64_C(500000000));
  assert_true(time_of("250us") == UINT64_C(250000));
  assert_true(time_of("7ns") == 7);
  assert_true(time_of("7.9ns") == 7);
  assert_true(time_of("2m") == UINT64_C(120000000000));
  assert_true(time_of("1.123456789h") == UINT64_C(4044444440400));
}

static void test_time_refuses_what_is_no_time(void **state) {
  static const char *const wrong[] = {"",     "s",        ".5s",          "1.s",          "1.",  "-1s",
                                      "1 s",  "1sec",     "1.5.5s",       "1S",           "1ss", "1s ",
                                      "1e3s", "5124096h", "18446744074s", "0.1234567891s"};
  uint64_t ns;
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    assert_false(value_time(wrong[i], 0, UINT64_MAX, &ns, message, sizeof message));
  assert_false(value_time("2s", 100, UINT64_C(1500000000), &ns, message, sizeof message));
  assert_string_equal(message, "expected a time such as 1.5s, 500ms or 2m, from 100ns to 1500ms");
  assert_false(value_time("2h", 0, UINT64_C(3600000000000), &ns, message, sizeof message));
  assert_string_equal(message, "expected a time such as 1.5s, 500ms or 2m, from 0 to 1h");
}

/* To many options 0 means "no limit", which nobody asked for who wrote a little. */
static void test_what_is_cut_to_nothing_is_refused(void **state) {
  static const char *const times[] = {"0.5ns", "0.999999999ns", "0.0001us"};
  static const char *const sizes[] = {"0.5", "0.0001K", "0.000000001M", "0.9"};
  uint64_t value;
  (void)state;
  for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
    assert_false(value_time(times[i], 0, UINT64_MAX, &value, message, sizeof message));
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    assert_false(value_size(sizes[i], 0, UINT64_MAX, &value, message, sizeof message));
  assert_true(value_time("0.0s", 0, UINT64_MAX, &value, message, sizeof message));
  assert_true(value_size("0.0", 0, UINT64_MAX, &value, message, sizeof message));
}

static uint64_t size_of(const char *text) {
  uint64_t bytes = 12345;
  assert_true(value_size(text, 0, UINT64_MAX, &bytes, message, sizeof message));
  return bytes;
}

static void test_size_has_binary_units(void **state) {
  uint64_t bytes;
  (void)state;
  assert_true(size_of("1000") == 1000);
  assert_true(size_of("64K") == 65536);
  assert_true(size_of("64k") == 65536);
  assert_true(size_of("1M") == 1048576);
  assert_true(size_of("1.5M") == 1572864);
  assert_true(size_of("0.1K") == 102);
  assert_true(size_of("2G") == UINT64_C(2147483648));
  assert_true(size_of("1T") == UINT64_C(1099511627776));
  assert_true(size_of("16777215T") == UINT64_C(16777215) << 40);
  assert_false(value_size("16777216T", 0, UINT64_MAX, &bytes, message, sizeof message));
  assert_false(value_size("1KB", 0, UINT64_MAX, &bytes, message, sizeof message));
  assert_false(value_size("0", 1, 3 << 20, &bytes, message, sizeof message));
  assert_string_equal(message, "expected a number of bytes such as 1000, 64K or 1M, from 1 to 3M");
}

static void test_hash_reads_what_hash_text_writes(void **state) {
  uint8_t hash[32], found[32];
  char hex[65], base64[45];
  (void)state;
  for (unsigned round = 0; round < 256; round++) {
    for (unsigned i = 0; i < 32; i++) hash[i] = (uint8_t)(round * 37 + i * round + i);
    hash_hex(hash, hex);
    hash_base64(hash, base64);
    memset(found, 0, sizeof found);
    assert_true(value_hash(hex, found, message, sizeof message));
    assert_memory_equal(found, hash, 32);
    memset(found, 0, sizeof found);
    assert_true(value_hash(base64, found, message, sizeof message));
    assert_memory_equal(found, hash, 32);
  }
}

static void test_hash_takes_colons_and_capitals(void **state) {
  uint8_t hash[32];
  char text[97] = "";
  (void)state;
  for (unsigned i = 0; i < 32; i++) snprintf(text + 3 * i, 4, "%02X:", 0xA0 + i);
  text[95] = 0;
  assert_true(value_hash(text, hash, message, sizeof message));
  for (unsigned i = 0; i < 32; i++) assert_int_equal(hash[i], 0xA0 + i);
  text[5] = '-';
  assert_false(value_hash(text, hash, message, sizeof message));
}

static void test_hash_refuses_what_is_too_short_or_long(void **state) {
  char text[80];
  uint8_t hash[32];
  (void)state;
  memset(text, 'a', sizeof text);
  for (size_t len = 0; len < 80; len++) {
    text[len] = 0;
    assert_int_equal(value_hash(text, hash, message, sizeof message), len == 64);
    text[len] = 'a';
  }
  text[63] = 'g';
  text[64] = 0;
  assert_false(value_hash(text, hash, message, sizeof message));
  /* In base64 the last two bits have no place in 32 bytes. */
  assert_false(value_hash("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", hash, message, sizeof message));
  assert_true(value_hash("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", hash, message, sizeof message));
}

static void test_header_is_split_and_trimmed(void **state) {
  char *name;
  const char *value;
  (void)state;
  assert_true(value_header("X-Token:  a: b\t ", &name, &value, message, sizeof message));
  assert_string_equal(name, "x-token");
  assert_string_equal(value, "a: b");
  free(name);
  assert_true(value_header("empty:", &name, &value, message, sizeof message));
  assert_string_equal(value, "");
  free(name);
  assert_true(value_header("name: gr\xc3\xbc\xc3\x9f", &name, &value, message, sizeof message));
  free(name);
}

static void test_header_refuses_what_cannot_be_sent(void **state) {
  static const char *const wrong[] = {
      "", "name", ": value", ":path: /", "a b: c", "name : v", "na\xc3\xafve: v", "a: b\r\nc: d", "a: \x7f", "a: \x01"};
  char *name;
  const char *value;
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    assert_false(value_header(wrong[i], &name, &value, message, sizeof message));
}

static void test_url_names_the_mistake(void **state) {
  (void)state;
  assert_true(value_url("https://localhost:4433/echo?a=b", message, sizeof message));
  assert_true(value_url("https://[::1]/", message, sizeof message));
  assert_true(value_url("HTTPS://localhost/", message, sizeof message));
  assert_true(value_url("Https://EXAMPLE.test./", message, sizeof message));
  assert_false(value_url("http://localhost/", message, sizeof message));
  assert_string_equal(message, "the URL has to begin with https://");
  assert_false(value_url("localhost:4433", message, sizeof message));
  assert_false(value_url("https:///echo", message, sizeof message));
  assert_string_equal(message, "the URL has no host");
  assert_false(value_url("https://a b/", message, sizeof message));
}

static void test_word_gives_its_place(void **state) {
  size_t index;
  (void)state;
  assert_true(value_word("load", "never load always", &index, message, sizeof message));
  assert_int_equal(index, 1);
  assert_true(value_word("always", "never load always", &index, message, sizeof message));
  assert_int_equal(index, 2);
  assert_false(value_word("alway", "never load always", &index, message, sizeof message));
  assert_string_equal(message, "expected never, load or always");
  assert_false(value_word("", "one", &index, message, sizeof message));
  assert_string_equal(message, "expected one");
  assert_false(value_word("never load", "never load always", &index, message, sizeof message));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_number_takes_digits_within_bounds),
      cmocka_unit_test(test_number_refuses_all_else),
      cmocka_unit_test(test_time_has_units_and_exact_fractions),
      cmocka_unit_test(test_time_refuses_what_is_no_time),
      cmocka_unit_test(test_what_is_cut_to_nothing_is_refused),
      cmocka_unit_test(test_size_has_binary_units),
      cmocka_unit_test(test_hash_reads_what_hash_text_writes),
      cmocka_unit_test(test_hash_takes_colons_and_capitals),
      cmocka_unit_test(test_hash_refuses_what_is_too_short_or_long),
      cmocka_unit_test(test_header_is_split_and_trimmed),
      cmocka_unit_test(test_header_refuses_what_cannot_be_sent),
      cmocka_unit_test(test_url_names_the_mistake),
      cmocka_unit_test(test_word_gives_its_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
