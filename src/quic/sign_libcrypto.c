/* SPDX-License-Identifier: MIT */

/*
 * ECDSA on P-256 by OpenSSL's libcrypto, where the build has found it.
 *
 * Each new connection that does not resume costs the server a signature (RFC 8446, section 4.4.3). GnuTLS takes 47 us
 * for it, and some more to write it down; libcrypto takes 24 us, since it has this curve in assembly. Many servers have
 * such a key: certificates that are known by their hash have to, and certification authorities take it by default.
 *
 * What a signature needs beside the key is kept from one to the next, since making it costs a fifth of the signature.
 * There is one to keep: a thread takes it, and another that comes meanwhile makes its own.
 *
 * The number that must be different in each signature is libcrypto's business: it mixes its random numbers with the
 * key and with what is signed. It wipes the key when it frees it.
 *
 * It is not used for the key exchange, nor for other kinds of keys, nor to verify anything.
 */

#include "quic/sign.h"

#ifdef WT_HAVE_LIBCRYPTO

#include <openssl/evp.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

struct wt__sign {
  EVP_PKEY *key;
  _Atomic(EVP_PKEY_CTX *) spare; /* ready to sign; NULL: in use, or none yet */
};

static bool key_is_p256(const EVP_PKEY *key) {
  char group[32] = "";
  return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
         !strcmp(group, "prime256v1");
}

/* Without random numbers (a sandbox that refuses getrandom) libcrypto cannot sign, while GnuTLS has another source.
 * What is made ready here is used by the first handshake. */
static bool sign_works(struct wt__sign *sign) {
  static const uint8_t hash[WT__SIGN_HASH_LEN];
  uint8_t signature[WT__SIGN_MAX_LEN];
  return wt__sign_hash(sign, hash, signature) > 0;
}

struct wt__sign *wt__sign_new(const void *der, size_t len) {
  const unsigned char *at = der;
  struct wt__sign *sign = wt__calloc(1, sizeof(*sign));
  if (!sign) return NULL;
  sign->key = len <= INT32_MAX ? d2i_AutoPrivateKey(NULL, &at, (long)len) : NULL;
  if (sign->key && key_is_p256(sign->key) && sign_works(sign)) return sign;
  wt__sign_free(sign);
  return NULL;
}

void wt__sign_free(struct wt__sign *sign) {
  if (!sign) return;
  EVP_PKEY_CTX_free(atomic_load_explicit(&sign->spare, memory_order_acquire));
  EVP_PKEY_free(sign->key);
  wt__free(sign);
}

static EVP_PKEY_CTX *sign_context(struct wt__sign *sign) {
  EVP_PKEY_CTX *context = atomic_exchange_explicit(&sign->spare, NULL, memory_order_acquire);
  if (context) return context;
  context = EVP_PKEY_CTX_new(sign->key, NULL);
  if (context && EVP_PKEY_sign_init(context) == 1) return context;
  EVP_PKEY_CTX_free(context);
  return NULL;
}

size_t wt__sign_hash(struct wt__sign *sign, const uint8_t *hash, uint8_t *signature) {
  EVP_PKEY_CTX *context = sign_context(sign);
  size_t len = WT__SIGN_MAX_LEN;
  if (!context || EVP_PKEY_sign(context, signature, &len, hash, WT__SIGN_HASH_LEN) != 1) {
    EVP_PKEY_CTX_free(context);
    return 0;
  }
  EVP_PKEY_CTX_free(atomic_exchange_explicit(&sign->spare, context, memory_order_acq_rel));
  return len;
}

#else /* no such library */

struct wt__sign *wt__sign_new(const void *der, size_t len) {
  (void)der, (void)len;
  return NULL;
}

void wt__sign_free(struct wt__sign *sign) { (void)sign; }

size_t wt__sign_hash(struct wt__sign *sign, const uint8_t *hash, uint8_t *signature) {
  (void)sign, (void)hash, (void)signature;
  return 0;
}

#endif
