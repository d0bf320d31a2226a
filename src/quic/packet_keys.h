/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_PACKET_KEYS_H
#define WT_QUIC_PACKET_KEYS_H

/* The keys of one connection's 1-RTT packets. ngtcp2 knows each as the native handle of an AEAD context. */

#include <ngtcp2/ngtcp2_crypto.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "quic/derive.h"
#include "quic/seal.h"

#define WT__PACKET_KEY_MAX 32 /* bytes */
#define WT__PACKET_IV_LEN 12  /* of all ciphers of TLS 1.3 that QUIC knows */

struct wt__packet_keys {
  struct wt__list list;
  struct wt__mask
      *headers[2]; /* for header protection, by whether it is for sending; NULL: the TLS library's is used */
  enum wt__seal_cipher cipher;
  size_t key_len; /* 0: there are none yet */
  int hash;       /* of the cipher suite, as in struct wt__secret */
};

struct wt__packet_key;

/* What a secret says, as `ngtcp2_conn_install_tx_key` and its like want it. */
struct wt__packet_material {
  struct wt__packet_key *key;
  uint8_t iv[WT__PACKET_IV_LEN];
};

void wt__packet_keys_init(struct wt__packet_keys *keys);
/* ngtcp2's connection is gone. */
void wt__packet_keys_free(struct wt__packet_keys *keys);

/* One direction's key, from its secret; `keys` has been told its cipher. WT_ERR_NOMEM, WT_ERR_TLS. */
int wt__packet_keys_add(struct wt__packet_keys *keys, uint32_t version, const uint8_t *secret, size_t len,
                        struct wt__packet_material *material);
/* Likewise for the key after the next key update; `next` gets its secret, of `len` bytes too. */
int wt__packet_keys_next(struct wt__packet_keys *keys, uint32_t version, const uint8_t *secret, size_t len,
                         uint8_t *next, struct wt__packet_material *material);
/* What protects the headers of one direction, for ngtcp2 as the native handle of a cipher context; NULL: the TLS
 * library has to make one. It stays as long as the connection. `bare`: its key. */
struct wt__mask *wt__packet_keys_set_header(struct wt__packet_keys *keys, bool sending, const uint8_t *bare);
/* Likewise, of a handle; NULL: it is none of ours. */
static inline const struct wt__mask *wt__packet_keys_header(const struct wt__packet_keys *keys, const void *handle) {
  if (!handle) return NULL;
  return keys->headers[0] == handle ? keys->headers[0] : keys->headers[1] == handle ? keys->headers[1] : NULL;
}
/* The key that ngtcp2 names by `handle`; NULL: that is another one, of the handshake. */
struct wt__packet_key *wt__packet_keys_find(const struct wt__packet_keys *keys, const void *handle);
/* No packets are expected for a while: the contexts, a kilobyte each, are freed, and made again for the next packet. */
void wt__packet_keys_release(struct wt__packet_keys *keys);
/* ngtcp2 has no more use for it. */
void wt__packet_key_free(struct wt__packet_key *key);

/* As the callbacks of ngtcp2 that have such names: 0, NGTCP2_ERR_DECRYPT, NGTCP2_ERR_CALLBACK_FAILURE. */
int wt__packet_key_encrypt(struct wt__packet_key *key, uint8_t *dst, const ngtcp2_crypto_aead *aead,
                           const uint8_t *data, size_t len, const uint8_t *nonce, const uint8_t *aad, size_t aad_len);
int wt__packet_key_decrypt(struct wt__packet_key *key, uint8_t *dst, const ngtcp2_crypto_aead *aead,
                           const uint8_t *data, size_t len, const uint8_t *nonce, const uint8_t *aad, size_t aad_len);

#endif
