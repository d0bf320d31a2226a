/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_SIGN_H
#define WT_QUIC_SIGN_H

/*
 * The signature of a handshake, by a library that is faster at it than that of TLS. It is an extra: where there is
 * none, or for another kind of key, the TLS library signs.
 */

#include <stddef.h>
#include <stdint.h>

#define WT__SIGN_HASH_LEN 32 /* SHA-256 */
#define WT__SIGN_MAX_LEN 72  /* two integers of 33 bytes, in DER */

/* A private key of ECDSA on P-256. Threads may use it at the same time. */
struct wt__sign;

/* `der`: PKCS #8. NULL: not here, another kind of key, or no memory. */
struct wt__sign *wt__sign_new(const void *der, size_t len);
void wt__sign_free(struct wt__sign *sign);
/* Returns the length of the signature, an ECDSA-Sig-Value of RFC 5480; 0: failed. */
size_t wt__sign_hash(struct wt__sign *sign, const uint8_t *hash, uint8_t *signature);

/* --- sign_gnutls.c --- */

struct gnutls_privkey_st;

/* A handle for GnuTLS that signs with a copy of `key`. NULL: `key` itself has to. Freed like any of GnuTLS's. */
struct gnutls_privkey_st *wt__signer_new(struct gnutls_privkey_st *key);

#endif
