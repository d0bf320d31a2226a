/* SPDX-License-Identifier: MIT */

/*
 * ngtcp2 keeps the key of a direction as a handle, makes the next one long before it is needed, and hands the handle
 * to `encrypt` and `decrypt`. libngtcp2_crypto has contexts of the TLS library behind the handles. Here it is a record
 * of ours, with the bare key, and with a context made when it is used: a seal (quic/seal.h) where there
 * is one for the cipher, else that of the TLS library. So a connection has the two contexts that it uses, a kilobyte
 * each, and not four of one kind and four of the other.
 *
 *   handshake, key update --> add: derived from the secret (RFC 9001, sections 5.1 and 6.1)
 *   a packet              --> expanded, unless it is
 *   no packet for a while --> the bare key alone again
 *   ngtcp2 discards it    --> freed
 *
 * Handles of the handshake's keys are libngtcp2_crypto's, so ours are told apart by the list that they are in. There
 * are never more than six: both directions' of now, the next, and the last one for receiving.
 */

#include "quic/packet_keys.h"

#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"

struct wt__packet_key {
  struct wt__link link;
  struct wt__seal *seal;       /* one of these two, once it is used */
  ngtcp2_crypto_aead_ctx aead; /* of the TLS library */
  enum wt__seal_cipher cipher;
  uint8_t bare[WT__PACKET_KEY_MAX];
};

#define KEY_OF(l) WT__CONTAINER_OF(l, struct wt__packet_key, link)

void wt__packet_keys_init(struct wt__packet_keys *keys) {
  *keys = (struct wt__packet_keys){.cipher = WT__SEAL_NONE};
  wt__list_init(&keys->list);
}

void wt__packet_keys_free(struct wt__packet_keys *keys) {
  struct wt__link *link;
  while ((link = wt__list_first(&keys->list))) wt__packet_key_free(KEY_OF(link));
  for (int i = 0; i < 2; i++) wt__mask_free(keys->headers[i]);
  keys->headers[0] = keys->headers[1] = NULL;
}

int wt__packet_keys_add(struct wt__packet_keys *keys, uint32_t version, const uint8_t *secret, size_t len,
                        struct wt__packet_material *material) {
  struct wt__secret from = {.hash = keys->hash, .len = len};
  if (len > sizeof(from.data) || !keys->key_len || keys->key_len > WT__PACKET_KEY_MAX) return WT_ERR_TLS;
  struct wt__packet_key *key = wt__calloc(1, sizeof(*key));
  if (!key) return WT_ERR_NOMEM;
  wt__list_push_back(&keys->list, &key->link);
  key->cipher = keys->cipher;
  memcpy(from.data, secret, len);
  int error = wt__derive_packet_part(&from, version, WT__PACKET_PART_KEY, key->bare, keys->key_len);
  if (!error) error = wt__derive_packet_part(&from, version, WT__PACKET_PART_IV, material->iv, sizeof(material->iv));
  wt__wipe(&from, sizeof(from));
  if (error) wt__packet_key_free(key);
  material->key = error ? NULL : key;
  return error;
}

int wt__packet_keys_next(struct wt__packet_keys *keys, uint32_t version, const uint8_t *secret, size_t len,
                         uint8_t *next, struct wt__packet_material *material) {
  struct wt__secret from = {.hash = keys->hash, .len = len};
  if (len > sizeof(from.data)) return WT_ERR_TLS;
  memcpy(from.data, secret, len);
  int error = wt__derive_packet_part(&from, version, WT__PACKET_PART_NEXT, next, len);
  wt__wipe(&from, sizeof(from));
  return error ? error : wt__packet_keys_add(keys, version, next, len, material);
}

struct wt__mask *wt__packet_keys_set_header(struct wt__packet_keys *keys, bool sending, const uint8_t *bare) {
  wt__mask_free(keys->headers[sending]);
  return keys->headers[sending] = wt__mask_new(keys->cipher, bare);
}

struct wt__packet_key *wt__packet_keys_find(const struct wt__packet_keys *keys, const void *handle) {
  WT__LIST_FOREACH(it, next, &keys->list) {
    if (KEY_OF(it) == handle) return KEY_OF(it);
  }
  return NULL;
}

static void key_release_context(struct wt__packet_key *key) {
  wt__seal_free(key->seal);
  if (key->aead.native_handle) ngtcp2_crypto_aead_ctx_free(&key->aead);
  key->seal = NULL;
  key->aead.native_handle = NULL;
}

void wt__packet_key_free(struct wt__packet_key *key) {
  wt__list_remove(&key->link);
  key_release_context(key);
  wt__wipe(key, sizeof(*key));
  wt__free(key);
}

void wt__packet_keys_release(struct wt__packet_keys *keys) {
  WT__LIST_FOREACH(it, next, &keys->list) key_release_context(KEY_OF(it));
}

/* For the first packet, or the first after a rest. False: out of memory. */
static bool key_expand(struct wt__packet_key *key, const ngtcp2_crypto_aead *aead, bool sending) {
  int error = 0;
  key->seal = wt__seal_new(key->cipher, key->bare);
  if (!key->seal && sending)
    error = ngtcp2_crypto_aead_ctx_encrypt_init(&key->aead, aead, key->bare, WT__PACKET_IV_LEN);
  if (!key->seal && !sending)
    error = ngtcp2_crypto_aead_ctx_decrypt_init(&key->aead, aead, key->bare, WT__PACKET_IV_LEN);
  return error == 0;
}

int wt__packet_key_encrypt(struct wt__packet_key *key, uint8_t *dst, const ngtcp2_crypto_aead *aead,
                           const uint8_t *data, size_t len, const uint8_t *nonce, const uint8_t *aad, size_t aad_len) {
  if (!key->seal && !key->aead.native_handle && !key_expand(key, aead, true)) return NGTCP2_ERR_CALLBACK_FAILURE;
  if (!key->seal)
    return ngtcp2_crypto_encrypt_cb(dst, aead, &key->aead, data, len, nonce, WT__PACKET_IV_LEN, aad, aad_len);
  wt__seal_encrypt(key->seal, dst, data, len, nonce, aad, aad_len);
  return 0;
}

int wt__packet_key_decrypt(struct wt__packet_key *key, uint8_t *dst, const ngtcp2_crypto_aead *aead,
                           const uint8_t *data, size_t len, const uint8_t *nonce, const uint8_t *aad, size_t aad_len) {
  if (!key->seal && !key->aead.native_handle && !key_expand(key, aead, false)) return NGTCP2_ERR_CALLBACK_FAILURE;
  if (!key->seal)
    return ngtcp2_crypto_decrypt_cb(dst, aead, &key->aead, data, len, nonce, WT__PACKET_IV_LEN, aad, aad_len);
  return wt__seal_decrypt(key->seal, dst, data, len, nonce, aad, aad_len) ? 0 : NGTCP2_ERR_DECRYPT;
}
