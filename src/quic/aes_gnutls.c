/* SPDX-License-Identifier: MIT */

/*
 * GnuTLS has no ECB. CBC of a single block, with an initialization vector of zeros, is the same: the vector is added to the
 * block, and that changes nothing. GnuTLS keeps the last block as the next vector, so it is set again for each block.
 */

#include "quic/aes.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <webtransport/error.h>

#include "base/mem.h"

struct wt__aes {
  gnutls_cipher_hd_t cipher;
};

static uint8_t zeros[WT__AES_BLOCK_LEN];

int wt__aes_new(struct wt__aes **aes, const uint8_t key[WT__AES_KEY_LEN]) {
  struct wt__aes *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  const gnutls_datum_t key_datum = {(unsigned char *)(uintptr_t)key, WT__AES_KEY_LEN};
  const gnutls_datum_t iv_datum = {zeros, sizeof(zeros)};
  int error = gnutls_cipher_init(&made->cipher, GNUTLS_CIPHER_AES_128_CBC, &key_datum, &iv_datum);
  if (error) {
    wt__free(made);
    return error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  }
  *aes = made;
  return 0;
}

void wt__aes_free(struct wt__aes *aes) {
  if (!aes) return;
  gnutls_cipher_deinit(aes->cipher);
  wt__free(aes);
}

int wt__aes_encrypt_block(void *aes, const uint8_t in[WT__AES_BLOCK_LEN], uint8_t out[WT__AES_BLOCK_LEN]) {
  gnutls_cipher_hd_t cipher = ((struct wt__aes *)aes)->cipher;
  gnutls_cipher_set_iv(cipher, zeros, sizeof(zeros));
  return gnutls_cipher_encrypt2(cipher, in, WT__AES_BLOCK_LEN, out, WT__AES_BLOCK_LEN) ? WT_ERR_TLS : 0;
}

int wt__aes_decrypt_block(void *aes, const uint8_t in[WT__AES_BLOCK_LEN], uint8_t out[WT__AES_BLOCK_LEN]) {
  gnutls_cipher_hd_t cipher = ((struct wt__aes *)aes)->cipher;
  gnutls_cipher_set_iv(cipher, zeros, sizeof(zeros));
  return gnutls_cipher_decrypt2(cipher, in, WT__AES_BLOCK_LEN, out, WT__AES_BLOCK_LEN) ? WT_ERR_TLS : 0;
}
