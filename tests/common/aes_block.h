/* SPDX-License-Identifier: MIT */
#ifndef WT_TESTS_AES_BLOCK_H
#define WT_TESTS_AES_BLOCK_H

/* One block of AES-128-ECB for tests of src/wire/lb_cid.c, by GnuTLS: CBC over one block with an IV of zeros is the same. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <gnutls/crypto.h>

#include "wire/lb_cid.h"

static inline int aes_block(const uint8_t *key, bool encrypt, const uint8_t in[16], uint8_t out[16]) {
  uint8_t key_copy[16], zeros[16] = {0}, block[16];
  gnutls_cipher_hd_t handle;
  memcpy(key_copy, key, 16);
  memcpy(block, in, 16);
  gnutls_datum_t key_datum = {key_copy, 16}, iv = {zeros, 16};
  int error = gnutls_cipher_init(&handle, GNUTLS_CIPHER_AES_128_CBC, &key_datum, &iv);
  if (error) return error;
  error = encrypt ? gnutls_cipher_encrypt(handle, block, 16) : gnutls_cipher_decrypt(handle, block, 16);
  gnutls_cipher_deinit(handle);
  memcpy(out, block, 16);
  return error;
}

static inline int aes_block_encrypt(void *key, const uint8_t in[16], uint8_t out[16]) {
  return aes_block(key, true, in, out);
}

static inline int aes_block_decrypt(void *key, const uint8_t in[16], uint8_t out[16]) {
  return aes_block(key, false, in, out);
}

/* `key` are 16 bytes that live as long as the cipher. */
static inline struct wt__lb_cipher aes_block_cipher(uint8_t *key) {
  return (struct wt__lb_cipher){aes_block_encrypt, aes_block_decrypt, key};
}

#endif
