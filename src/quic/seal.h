/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_SEAL_H
#define WT_QUIC_SEAL_H

/*
 * AES-GCM over the packets of a connection whose handshake is done, by a library that is faster at it than that of TLS.
 * It is an extra: where there is none, the TLS library goes on with it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT__SEAL_NONCE_LEN 12
#define WT__SEAL_TAG_LEN 16

enum wt__seal_cipher {
  WT__SEAL_NONE, /* another one, of which nothing is known here */
  WT__SEAL_AES_128_GCM,
  WT__SEAL_AES_256_GCM
};

/* One key. */
struct wt__seal;

/* `key`: 16 or 32 bytes. NULL: not here, not this cipher, not on this processor, or no memory. */
struct wt__seal *wt__seal_new(enum wt__seal_cipher cipher, const uint8_t *key);
void wt__seal_free(struct wt__seal *seal);

/* Writes `len` bytes and the tag; `dst` may be `data`. */
void wt__seal_encrypt(const struct wt__seal *seal, uint8_t *dst, const uint8_t *data, size_t len, const uint8_t *nonce,
                      const uint8_t *aad, size_t aad_len);
/* `len` counts the tag, which `dst` does not get. False: it is not what was sealed; `dst` then holds nothing of use. */
bool wt__seal_decrypt(const struct wt__seal *seal, uint8_t *dst, const uint8_t *data, size_t len, const uint8_t *nonce,
                      const uint8_t *aad, size_t aad_len);

/* The other half of packet protection: the mask of a header (RFC 9001, section 5.4.3). Its key never changes. */
#define WT__MASK_SAMPLE_LEN 16
#define WT__MASK_LEN 5

struct wt__mask;

/* `key`: 16 bytes, for AES_128_GCM. NULL: as `wt__seal_new`, and for other ciphers. */
struct wt__mask *wt__mask_new(enum wt__seal_cipher cipher, const uint8_t *key);
void wt__mask_free(struct wt__mask *mask);
void wt__mask_make(const struct wt__mask *mask, uint8_t *dst, const uint8_t *sample);

#endif
