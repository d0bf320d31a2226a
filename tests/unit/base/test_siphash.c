/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/siphash.h"

/* The key 00 01 .. 0f, and the first `len` of the bytes 00 01 02 ..; the case of 15 bytes is in the paper's appendix. */
static void test_siphash_has_the_published_values(void **state) {
  (void)state;
  static const struct {
    size_t len;
    uint64_t hash;
  } cases[] = {{0, UINT64_C(0x726fdb47dd0e0e31)},
               {1, UINT64_C(0x74f839c593dc67fd)},
               {7, UINT64_C(0xab0200f58b01d137)},
               {8, UINT64_C(0x93f5f5799a932462)},
               {15, UINT64_C(0xa129ca6149be45e5)}};
  uint8_t key[WT__SIPHASH_KEY_LEN], data[16];
  for (size_t i = 0; i < sizeof(key); i++) key[i] = data[i] = (uint8_t)i;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    assert_true(wt__siphash(key, data, cases[i].len) == cases[i].hash);
  }
  key[0] ^= 1;
  assert_true(wt__siphash(key, data, 15) != cases[4].hash);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_siphash_has_the_published_values)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
