/* SPDX-License-Identifier: MIT */

/* src/quic/aes_gnutls.c: single blocks, one after the other, by the example of FIPS 197. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "quic/aes.h"

static const uint8_t key[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t plain[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
static const uint8_t cipher[16] = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30,
                                   0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};

/* Each block stands alone: none is added to the next one. */
static void test_aes_blocks_are_independent(void **state) {
  (void)state;
  struct wt__aes *aes;
  uint8_t block[16];
  int64_t live = wt__mem_live();
  assert_int_equal(wt__aes_new(&aes, key), 0);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(wt__aes_encrypt_block(aes, plain, block), 0);
    assert_memory_equal(block, cipher, sizeof(block));
    assert_int_equal(wt__aes_decrypt_block(aes, block, block), 0);
    assert_memory_equal(block, plain, sizeof(block));
    assert_int_equal(wt__aes_encrypt_block(aes, block, block), 0);
    assert_memory_equal(block, cipher, sizeof(block));
  }
  wt__aes_free(aes);
  wt__aes_free(NULL);
  assert_int_equal(wt__mem_live(), live);
}

static void test_aes_without_memory(void **state) {
  (void)state;
  struct wt__aes *aes;
  wt__mem_fail_after(0);
  assert_int_equal(wt__aes_new(&aes, key), WT_ERR_NOMEM);
  wt__mem_fail_after(SIZE_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_aes_blocks_are_independent),
      cmocka_unit_test(test_aes_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
