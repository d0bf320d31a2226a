/* SPDX-License-Identifier: MIT */
/* A SHA-256 as text, in hexadecimal and in base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/hash_text.h"

static void test_digits_of_a_known_hash(void **state) {
  uint8_t hash[32];
  char hex[65], base64[45];
  (void)state;
  for (unsigned i = 0; i < 32; i++) hash[i] = (uint8_t)(8 * i);
  hash_hex(hash, hex);
  hash_base64(hash, base64);
  assert_string_equal(hex, "0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8");
  assert_string_equal(base64, "AAgQGCAoMDhASFBYYGhweICIkJigqLC4wMjQ2ODo8Pg=");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_digits_of_a_known_hash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
