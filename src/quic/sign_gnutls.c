/* SPDX-License-Identifier: MIT */

/*
 * A private key of GnuTLS's that has its signatures made elsewhere (sign.h).
 *
 * GnuTLS knows keys that it cannot see, such as those of smart cards: it asks what kind they are, hands over a hash and
 * gets a signature. A certificate's key for handshakes is of that kind; the certificate keeps the other one for
 * everything else. GnuTLS still chooses the algorithm, hashes the handshake (RFC 8446, section 4.4.3) and decides
 * what is sent.
 */

#include "quic/sign.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "base/mem.h"

#define P256_BITS 256

static bool algorithm_is_ours(gnutls_sign_algorithm_t algorithm) {
  return algorithm == GNUTLS_SIGN_ECDSA_SECP256R1_SHA256 || algorithm == GNUTLS_SIGN_ECDSA_SHA256;
}

static int signer_sign(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *userdata, unsigned flags,
                       const gnutls_datum_t *hash, gnutls_datum_t *signature) {
  uint8_t made[WT__SIGN_MAX_LEN];
  (void)key;
  (void)flags;
  if (!algorithm_is_ours(algorithm) || hash->size != WT__SIGN_HASH_LEN) return GNUTLS_E_PK_SIGN_FAILED;
  size_t len = wt__sign_hash(userdata, hash->data, made);
  if (!len) return GNUTLS_E_PK_SIGN_FAILED;
  signature->data = gnutls_malloc(len);
  if (!signature->data) return GNUTLS_E_MEMORY_ERROR;
  signature->size = (unsigned)len;
  memcpy(signature->data, made, len);
  return 0;
}

static int signer_describe(gnutls_privkey_t key, unsigned flags, void *userdata) {
  (void)key;
  (void)userdata;
  if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO) return GNUTLS_PK_ECDSA;
  if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS) return P256_BITS;
  if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO) return algorithm_is_ours(GNUTLS_FLAGS_TO_SIGN_ALGO(flags));
  return -1;
}

static void signer_free(gnutls_privkey_t key, void *userdata) {
  (void)key;
  wt__sign_free(userdata);
}

static struct wt__sign *sign_of(gnutls_privkey_t key) {
  gnutls_x509_privkey_t numbers = NULL;
  gnutls_datum_t der = {NULL, 0};
  if (gnutls_privkey_get_pk_algorithm(key, NULL) != GNUTLS_PK_ECDSA || gnutls_privkey_export_x509(key, &numbers))
    return NULL;
  int error = gnutls_x509_privkey_export2_pkcs8(numbers, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &der);
  struct wt__sign *sign = error ? NULL : wt__sign_new(der.data, der.size);
  wt__wipe(der.data, der.size);
  gnutls_free(der.data);
  gnutls_x509_privkey_deinit(numbers);
  return sign;
}

struct gnutls_privkey_st *wt__signer_new(struct gnutls_privkey_st *key) {
  struct wt__sign *sign = sign_of(key);
  gnutls_privkey_t signer = NULL;
  if (!sign) return NULL;
  int error = gnutls_privkey_init(&signer);
  if (!error)
    error = gnutls_privkey_import_ext4(signer, sign, NULL, signer_sign, NULL, signer_free, signer_describe, 0);
  if (!error) return signer;
  if (signer) gnutls_privkey_deinit(signer);
  wt__sign_free(sign);
  return NULL;
}
