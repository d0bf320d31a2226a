/* SPDX-License-Identifier: MIT */

/*
 * The faster AES-GCM says the same as GnuTLS, for every length that a packet's payload can have around the sizes of
 * blocks, in place and not, and takes nothing that was changed. Where it is not built in, there is nothing to test but
 * that it says so.
 */

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "quic/seal.h"

#define LEN_MAX 1500
#define AAD_LEN 13

static const uint8_t key[32] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3,
                                2, 3, 8, 4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7, 9, 5};
static const uint8_t nonce[WT__SEAL_NONCE_LEN] = {2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5};
static const uint8_t aad[AAD_LEN] = {0x41, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static struct wt__seal *seal_or_skip(enum wt__seal_cipher cipher) {
  struct wt__seal *seal = wt__seal_new(cipher, key);
  if (!seal) skip();
  return seal;
}

static void expected_seal(enum wt__seal_cipher cipher, uint8_t *dst, const uint8_t *data, size_t len) {
  bool small = cipher == WT__SEAL_AES_128_GCM;
  gnutls_aead_cipher_hd_t handle;
  gnutls_datum_t datum = {(unsigned char *)(uintptr_t)key, small ? 16 : 32};
  size_t sealed = len + WT__SEAL_TAG_LEN;
  assert_int_equal(
      gnutls_aead_cipher_init(&handle, small ? GNUTLS_CIPHER_AES_128_GCM : GNUTLS_CIPHER_AES_256_GCM, &datum), 0);
  assert_int_equal(gnutls_aead_cipher_encrypt(handle, nonce, sizeof(nonce), aad, sizeof(aad), WT__SEAL_TAG_LEN, data,
                                              len, dst, &sealed),
                   0);
  assert_int_equal(sealed, len + WT__SEAL_TAG_LEN);
  gnutls_aead_cipher_deinit(handle);
}

static void check_cipher(enum wt__seal_cipher cipher) {
  struct wt__seal *seal = seal_or_skip(cipher);
  uint8_t data[LEN_MAX], want[LEN_MAX + WT__SEAL_TAG_LEN], got[LEN_MAX + WT__SEAL_TAG_LEN];
  for (size_t i = 0; i < sizeof(data); i++) data[i] = (uint8_t)(i * 31 + (i >> 8));
  for (size_t len = 1; len <= LEN_MAX; len += len < 300 ? 1 : 37) {
    expected_seal(cipher, want, data, len);
    wt__seal_encrypt(seal, got, data, len, nonce, aad, sizeof(aad));
    assert_memory_equal(got, want, len + WT__SEAL_TAG_LEN);
    memcpy(got, data, len);
    wt__seal_encrypt(seal, got, got, len, nonce, aad, sizeof(aad));
    assert_memory_equal(got, want, len + WT__SEAL_TAG_LEN);
    assert_true(wt__seal_decrypt(seal, got, want, len + WT__SEAL_TAG_LEN, nonce, aad, sizeof(aad)));
    assert_memory_equal(got, data, len);
    memcpy(got, want, len + WT__SEAL_TAG_LEN);
    assert_true(wt__seal_decrypt(seal, got, got, len + WT__SEAL_TAG_LEN, nonce, aad, sizeof(aad)));
    assert_memory_equal(got, data, len);
  }
  wt__seal_free(seal);
}

static void test_seal_is_aes_128_gcm(void **state) {
  (void)state;
  check_cipher(WT__SEAL_AES_128_GCM);
}

static void test_seal_is_aes_256_gcm(void **state) {
  (void)state;
  check_cipher(WT__SEAL_AES_256_GCM);
}

static void test_seal_refuses_what_was_changed(void **state) {
  struct wt__seal *seal = seal_or_skip(WT__SEAL_AES_128_GCM);
  uint8_t data[40] = {1, 2, 3}, sealed[sizeof(data) + WT__SEAL_TAG_LEN], got[sizeof(data)], other[AAD_LEN];
  (void)state;
  wt__seal_encrypt(seal, sealed, data, sizeof(data), nonce, aad, sizeof(aad));
  for (size_t i = 0; i < sizeof(sealed); i++) {
    sealed[i] ^= 0x10;
    assert_false(wt__seal_decrypt(seal, got, sealed, sizeof(sealed), nonce, aad, sizeof(aad)));
    sealed[i] ^= 0x10;
  }
  for (size_t i = 0; i < sizeof(aad); i++) {
    memcpy(other, aad, sizeof(aad));
    other[i] ^= 1;
    assert_false(wt__seal_decrypt(seal, got, sealed, sizeof(sealed), nonce, other, sizeof(other)));
  }
  assert_false(wt__seal_decrypt(seal, got, sealed, WT__SEAL_TAG_LEN - 1, nonce, aad, sizeof(aad)));
  assert_true(wt__seal_decrypt(seal, got, sealed, sizeof(sealed), nonce, aad, sizeof(aad)));
  wt__seal_free(seal);
}

static void test_seal_is_for_aes_alone(void **state) {
  (void)state;
  assert_null(wt__seal_new(WT__SEAL_NONE, key));
  wt__seal_free(NULL);
}

/* RFC 9001, appendices A.2 and A.3. */
static void test_seal_masks_headers(void **state) {
  static const struct {
    uint8_t key[16], sample[WT__MASK_SAMPLE_LEN], mask[WT__MASK_LEN];
  } known[] = {
      {{0x9f, 0x50, 0x44, 0x9e, 0x04, 0xa0, 0xe8, 0x10, 0x28, 0x3a, 0x1e, 0x99, 0x33, 0xad, 0xed, 0xd2},
       {0xd1, 0xb1, 0xc9, 0x8d, 0xd7, 0x68, 0x9f, 0xb8, 0xec, 0x11, 0xd2, 0x42, 0xb1, 0x23, 0xdc, 0x9b},
       {0x43, 0x7b, 0x9a, 0xec, 0x36}},
      {{0xc2, 0x06, 0xb8, 0xd9, 0xb9, 0xf0, 0xf3, 0x76, 0x44, 0x43, 0x0b, 0x49, 0x0e, 0xea, 0xa3, 0x14},
       {0x2c, 0xd0, 0x99, 0x1c, 0xd2, 0x5b, 0x0a, 0xac, 0x40, 0x6a, 0x58, 0x16, 0xb6, 0x39, 0x41, 0x00},
       {0x2e, 0xc0, 0xd8, 0x35, 0x6a}},
  };
  (void)state;
  wt__seal_free(seal_or_skip(WT__SEAL_AES_128_GCM));
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
    uint8_t got[WT__MASK_LEN + 1] = {0};
    struct wt__mask *mask = wt__mask_new(WT__SEAL_AES_128_GCM, known[i].key);
    assert_non_null(mask);
    wt__mask_make(mask, got, known[i].sample);
    assert_memory_equal(got, known[i].mask, WT__MASK_LEN);
    assert_int_equal(got[WT__MASK_LEN], 0);
    wt__mask_free(mask);
  }
  assert_null(wt__mask_new(WT__SEAL_AES_256_GCM, key));
  assert_null(wt__mask_new(WT__SEAL_NONE, key));
  wt__mask_free(NULL);
}

static void test_seal_without_memory_is_none(void **state) {
  (void)state;
  wt__seal_free(seal_or_skip(WT__SEAL_AES_128_GCM));
  wt__mem_fail_after(0);
  assert_null(wt__seal_new(WT__SEAL_AES_128_GCM, key));
  wt__mem_fail_after(0);
  assert_null(wt__mask_new(WT__SEAL_AES_128_GCM, key));
  wt__mem_fail_after(SIZE_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_seal_is_aes_128_gcm),
      cmocka_unit_test(test_seal_is_aes_256_gcm),
      cmocka_unit_test(test_seal_refuses_what_was_changed),
      cmocka_unit_test(test_seal_is_for_aes_alone),
      cmocka_unit_test(test_seal_masks_headers),
      cmocka_unit_test(test_seal_without_memory_is_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
