/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CERTIFICATE_H
#define WT_QUIC_CERTIFICATE_H

/*
 * The inside of a certificate, for the two files that speak GnuTLS. GnuTLS's handles are pointers to
 * structs, so that they can be named here without its headers.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <webtransport/certificate.h>

struct gnutls_ocsp_data_st;
struct gnutls_pcert_st;
struct gnutls_privkey_st;
struct gnutls_x509_crt_int;

struct wt_certificate {
  atomic_uint refs;
  struct gnutls_pcert_st *chain; /* the leaf first */
  unsigned chain_len;
  struct gnutls_privkey_st *key;
  struct gnutls_privkey_st *signer; /* what handshakes are signed with (sign.h); NULL: `key` */
  struct gnutls_x509_crt_int *leaf;
  int64_t valid_from, expires_at;   /* seconds since 1970-01-01 UTC */
  struct gnutls_ocsp_data_st *ocsp; /* NULL: there is none */
  int64_t ocsp_until;               /* likewise; INT64_MAX: it is good for ever */
  uint8_t sha256[32];
  char *open_key_file; /* the file of the key, if every user of the machine may read or change it; else NULL */
};

/* Whether the leaf is for `name`: a DNS name (with the certificate's wildcards) or an IP address. */
bool wt__certificate_matches(const wt_certificate *certificate, const char *name);

/* The OCSP response to hand out with it; NULL: there is none, or it is too old. */
const struct gnutls_ocsp_data_st *wt__certificate_staple(const wt_certificate *certificate);
void wt__certificate_staple_free(wt_certificate *certificate);

/* Why browsers would refuse `leaf` in `serverCertificateHashes`, whatever the time, as `wt_certificate_info` has it:
 * words that follow a colon; "": they would not. Static string. */
const char *wt__leaf_hash_refusal(struct gnutls_x509_crt_int *leaf);

#endif
