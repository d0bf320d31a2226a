/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_DERIVE_H
#define WT_QUIC_DERIVE_H

/* Secrets of TLS 1.3 that follow from others, without a session of the TLS library. */

#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

#define WT__DERIVE_SECRET_MAX 64 /* bytes; that of SHA-384 has 48 */

/* A secret, and the hash function of its cipher suite, by GnuTLS's number. */
struct wt__secret {
  int hash;
  size_t len; /* 0: there is none */
  uint8_t data[WT__DERIVE_SECRET_MAX];
};

/* HKDF-Expand-Label (RFC 8446, section 7.1), without the "tls13 " of the label. WT_ERR_TLS: a length is not allowed. */
int wt__derive_expand_label(const struct wt__secret *secret, const char *label, struct wt__vec context, uint8_t *out,
                            size_t out_len);

/* The parts of what protects packets under a secret (RFC 9001, sections 5.1 and 6.1; RFC 9369, section 3.3.2). */
enum wt__packet_part {
  WT__PACKET_PART_KEY,
  WT__PACKET_PART_IV,
  WT__PACKET_PART_HP,  /* the key for header protection */
  WT__PACKET_PART_NEXT /* the secret after a key update, as long as the secret */
};

/* `version`: that of QUIC. WT_ERR_TLS. */
int wt__derive_packet_part(const struct wt__secret *secret, uint32_t version, enum wt__packet_part part, uint8_t *out,
                           size_t out_len);

/* What the exporter gives for an exporter secret (RFC 8446, section 7.5). WT_ERR_TLS. */
int wt__derive_exported(const struct wt__secret *secret, const char *label, struct wt__vec context, uint8_t *out,
                        size_t out_len);

#endif
