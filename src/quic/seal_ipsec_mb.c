/* SPDX-License-Identifier: MIT */

/*
 * AES-GCM of libIPSec_MB (Intel Multi-Buffer Crypto for IPsec), where the build has found it.
 *
 * A packet of 1,400 bytes costs GnuTLS 390 ns to encrypt and 550 ns to decrypt, of which more than 100 ns go before the
 * first byte; this library takes 150 ns for either, since it uses the processor's instructions for four blocks
 * at a time and has no layers above them. On a download that is a tenth of all the time there is.
 *
 * The library is asked once per process what the processor can do. Without instructions for AES and for carry-less
 * multiplication it would fall back on tables, and GnuTLS stays. What it gives is a table of functions that
 * keep no state, so that threads may share it.
 *
 * The mask of a header is one block of AES: the library has no call for that, but one block of CFB over zeros is the
 * same. It takes a fifth of GnuTLS's 20 ns. There is none for AES-256.
 *
 * It is not used for handshakes or ChaCha20: those stay with GnuTLS. RFC 9001, sections 5.3 and 5.4.3.
 */

#include "quic/seal.h"

#ifdef WT_HAVE_IPSEC_MB

#include <intel-ipsec-mb.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"

#define KEY_ALIGN 64 /* of the expanded key, in the library's terms */

struct wt__seal {
  struct gcm_key_data *key; /* in `room` */
  aes_gcm_enc_dec_t encrypt, decrypt;
  uint8_t room[sizeof(struct gcm_key_data) + KEY_ALIGN];
};

#define ROUND_KEYS 11 /* of AES-128 */

struct wt__mask {
  _Alignas(16) uint8_t keys[ROUND_KEYS * 16];
  aes_cfb_t encrypt;
};

static IMB_MGR *library; /* NULL: not to be used */

static void library_open(void) {
  const uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
  IMB_MGR *made = alloc_mb_mgr(0);
  if (!made) return;
  init_mb_mgr_auto(made, NULL);
  if (imb_get_errno(made) == 0 && (made->features & needed) == needed) {
    library = made;
  } else {
    free_mb_mgr(made);
  }
}

static const IMB_MGR *library_get(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, library_open);
  return library;
}

struct wt__seal *wt__seal_new(enum wt__seal_cipher cipher, const uint8_t *key) {
  const IMB_MGR *mgr = cipher == WT__SEAL_NONE ? NULL : library_get();
  struct wt__seal *seal = mgr ? wt__calloc(1, sizeof(*seal)) : NULL;
  if (!seal) return NULL;
  seal->key = (struct gcm_key_data *)(((uintptr_t)seal->room + KEY_ALIGN - 1) & ~(uintptr_t)(KEY_ALIGN - 1));
  if (cipher == WT__SEAL_AES_128_GCM) {
    IMB_AES128_GCM_PRE(mgr, key, seal->key);
    seal->encrypt = mgr->gcm128_enc;
    seal->decrypt = mgr->gcm128_dec;
  } else {
    IMB_AES256_GCM_PRE(mgr, key, seal->key);
    seal->encrypt = mgr->gcm256_enc;
    seal->decrypt = mgr->gcm256_dec;
  }
  return seal;
}

void wt__seal_free(struct wt__seal *seal) {
  if (!seal) return;
  wt__wipe(seal, sizeof(*seal));
  wt__free(seal);
}

void wt__seal_encrypt(const struct wt__seal *seal, uint8_t *dst, const uint8_t *data, size_t len, const uint8_t *nonce,
                      const uint8_t *aad, size_t aad_len) {
  struct gcm_context_data state;
  seal->encrypt(seal->key, &state, dst, data, len, nonce, aad, aad_len, dst + len, WT__SEAL_TAG_LEN);
}

/* In a time that does not tell where they differ. */
static bool tags_equal(const uint8_t *a, const uint8_t *b) {
  unsigned difference = 0;
  for (size_t i = 0; i < WT__SEAL_TAG_LEN; i++) difference |= (unsigned)(a[i] ^ b[i]);
  return difference == 0;
}

bool wt__seal_decrypt(const struct wt__seal *seal, uint8_t *dst, const uint8_t *data, size_t len, const uint8_t *nonce,
                      const uint8_t *aad, size_t aad_len) {
  struct gcm_context_data state;
  uint8_t tag[WT__SEAL_TAG_LEN], sent[WT__SEAL_TAG_LEN];
  if (len < WT__SEAL_TAG_LEN) return false;
  len -= WT__SEAL_TAG_LEN;
  memcpy(sent, data + len, sizeof(sent));
  seal->decrypt(seal->key, &state, dst, data, len, nonce, aad, aad_len, tag, sizeof(tag));
  return tags_equal(tag, sent);
}

struct wt__mask *wt__mask_new(enum wt__seal_cipher cipher, const uint8_t *key) {
  _Alignas(16) uint8_t unused[ROUND_KEYS * 16];
  const IMB_MGR *mgr = cipher == WT__SEAL_AES_128_GCM ? library_get() : NULL;
  struct wt__mask *mask = mgr ? wt__calloc(1, sizeof(*mask)) : NULL;
  if (!mask) return NULL;
  IMB_AES_KEYEXP_128(mgr, key, mask->keys, unused);
  wt__wipe(unused, sizeof(unused));
  mask->encrypt = mgr->aes128_cfb_one;
  return mask;
}

void wt__mask_free(struct wt__mask *mask) {
  if (!mask) return;
  wt__wipe(mask, sizeof(*mask));
  wt__free(mask);
}

void wt__mask_make(const struct wt__mask *mask, uint8_t *dst, const uint8_t *sample) {
  static const uint8_t zeros[WT__MASK_SAMPLE_LEN];
  uint8_t block[WT__MASK_SAMPLE_LEN];
  mask->encrypt(block, zeros, sample, mask->keys, sizeof(block));
  memcpy(dst, block, WT__MASK_LEN);
}

#else /* no such library */

struct wt__seal *wt__seal_new(enum wt__seal_cipher cipher, const uint8_t *key) {
  (void)cipher, (void)key;
  return NULL;
}

void wt__seal_free(struct wt__seal *seal) { (void)seal; }

void wt__seal_encrypt(const struct wt__seal *seal, uint8_t *dst, const uint8_t *data, size_t len, const uint8_t *nonce,
                      const uint8_t *aad, size_t aad_len) {
  (void)seal, (void)dst, (void)data, (void)len, (void)nonce, (void)aad, (void)aad_len;
}

bool wt__seal_decrypt(const struct wt__seal *seal, uint8_t *dst, const uint8_t *data, size_t len, const uint8_t *nonce,
                      const uint8_t *aad, size_t aad_len) {
  (void)seal, (void)dst, (void)data, (void)len, (void)nonce, (void)aad, (void)aad_len;
  return false;
}

struct wt__mask *wt__mask_new(enum wt__seal_cipher cipher, const uint8_t *key) {
  (void)cipher, (void)key;
  return NULL;
}

void wt__mask_free(struct wt__mask *mask) { (void)mask; }

void wt__mask_make(const struct wt__mask *mask, uint8_t *dst, const uint8_t *sample) {
  (void)mask, (void)dst, (void)sample;
}

#endif
