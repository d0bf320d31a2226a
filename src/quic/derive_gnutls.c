/* SPDX-License-Identifier: MIT */

/*
 * GnuTLS derives what its own sessions need, and has functions for that only with the session. A server's session is
 * freed when its handshake is done (tls_gnutls.c), and the exporter goes on with the one secret that it needs:
 *
 *   exporter secret --label--> secret of the label --"exporter", hash of the context--> what the application gets
 *
 * Both steps are HKDF-Expand-Label: HKDF-Expand of RFC 5869 over
 *
 *   uint16 length of the output | uint8 length, "tls13 " label | uint8 length, context
 */

#include "quic/derive.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"

#define PREFIX "tls13 "
#define PREFIX_LEN (sizeof(PREFIX) - 1)

int wt__derive_expand_label(const struct wt__secret *secret, const char *label, struct wt__vec context, uint8_t *out,
                            size_t out_len) {
  uint8_t info[2 + 1 + 255 + 1 + 255];
  size_t at = 0, label_len = strlen(label);
  if (label_len > 255 - PREFIX_LEN || context.len > 255 || out_len > UINT16_MAX) return WT_ERR_TLS;
  info[at++] = (uint8_t)(out_len >> 8);
  info[at++] = (uint8_t)out_len;
  info[at++] = (uint8_t)(PREFIX_LEN + label_len);
  memcpy(info + at, PREFIX, PREFIX_LEN);
  at += PREFIX_LEN;
  for (size_t i = 0; i < label_len; i++) info[at++] = (uint8_t)label[i];
  info[at++] = (uint8_t)context.len;
  if (context.len) memcpy(info + at, context.data, context.len);
  at += context.len;
  const gnutls_datum_t key = {(unsigned char *)(uintptr_t)secret->data, (unsigned)secret->len};
  const gnutls_datum_t all = {info, (unsigned)at};
  return gnutls_hkdf_expand((gnutls_mac_algorithm_t)secret->hash, &key, &all, out, out_len) ? WT_ERR_TLS : 0;
}

int wt__derive_packet_part(const struct wt__secret *secret, uint32_t version, enum wt__packet_part part, uint8_t *out,
                           size_t out_len) {
  static const char *const labels[][4] = {{"quic key", "quic iv", "quic hp", "quic ku"},
                                          {"quicv2 key", "quicv2 iv", "quicv2 hp", "quicv2 ku"}};
  return wt__derive_expand_label(secret, labels[version == NGTCP2_PROTO_VER_V2][part], (struct wt__vec){NULL, 0}, out,
                                 out_len);
}

int wt__derive_exported(const struct wt__secret *secret, const char *label, struct wt__vec context, uint8_t *out,
                        size_t out_len) {
  struct wt__secret derived = {.hash = secret->hash, .len = secret->len};
  uint8_t hash[WT__DERIVE_SECRET_MAX];
  const struct wt__vec hashed = {hash, secret->len}; /* a secret is as long as its hash */
  int error = gnutls_hash_fast((gnutls_digest_algorithm_t)secret->hash, "", 0, hash) ? WT_ERR_TLS : 0;
  if (!error) error = wt__derive_expand_label(secret, label, hashed, derived.data, derived.len);
  if (!error &&
      gnutls_hash_fast((gnutls_digest_algorithm_t)secret->hash, context.len ? context.data : hash, context.len, hash))
    error = WT_ERR_TLS;
  if (!error) error = wt__derive_expand_label(&derived, "exporter", hashed, out, out_len);
  wt__wipe(&derived, sizeof(derived));
  return error;
}
