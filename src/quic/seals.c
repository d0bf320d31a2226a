/* SPDX-License-Identifier: MIT */

/*
 * ngtcp2 knows a key by a handle of the TLS library's, and names that handle whenever a packet is to be encrypted or
 * decrypted. The table here says which seal (quic/seal.h) has the same key. Both exist side by side: without a
 * seal, the handle is used, and nothing on the wire tells the difference.
 *
 *   handshake      --> expect (rx)   expect (tx)
 *   first packets  --> of (rx): bound to the handle that was named     of (tx): likewise
 *   key update     --> add (rx), add (tx)           RFC 9001, section 6
 *   discarded      --> remove
 *
 * The first two keys are installed by libngtcp2_crypto, which keeps the handles to itself. So they are bound when a
 * 1-RTT packet first names a handle that is not in the table: every later one is added before it is used. That
 * holds only as long as no key is missing, so when one cannot be had, all are given up.
 */

#include "quic/seals.h"

static struct wt__seal *seals_take(struct wt__seals *seals, size_t i) {
  struct wt__seal *seal = seals->entries[i].seal;
  seals->entries[i] = seals->entries[--seals->len];
  return seal;
}

void wt__seals_free(struct wt__seals *seals) {
  while (seals->len) wt__seal_free(seals_take(seals, seals->len - 1));
  for (int i = 0; i < 2; i++) wt__seal_free(seals->expected[i]);
  *seals = (struct wt__seals){.cipher = WT__SEAL_NONE};
}

void wt__seals_expect(struct wt__seals *seals, bool sending, enum wt__seal_cipher cipher, const uint8_t *key) {
  seals->cipher = cipher;
  wt__seal_free(seals->expected[sending]);
  seals->expected[sending] = wt__seal_new(cipher, key);
}

static bool seals_put(struct wt__seals *seals, const void *handle, struct wt__seal *seal) {
  if (seals->len == WT__SEALS_MAX) return false;
  seals->entries[seals->len].handle = handle;
  seals->entries[seals->len++].seal = seal;
  return true;
}

void wt__seals_add(struct wt__seals *seals, const void *handle, const uint8_t *key) {
  struct wt__seal *seal = wt__seal_new(seals->cipher, key);
  if (seal && seals_put(seals, handle, seal)) return;
  wt__seal_free(seal);
  wt__seals_free(seals);
}

void wt__seals_remove(struct wt__seals *seals, const void *handle) {
  for (size_t i = 0; i < seals->len; i++) {
    if (seals->entries[i].handle != handle) continue;
    wt__seal_free(seals_take(seals, i));
    return;
  }
}

const struct wt__seal *wt__seals_of(struct wt__seals *seals, const void *handle, bool sending) {
  for (size_t i = 0; i < seals->len; i++) {
    if (seals->entries[i].handle == handle) return seals->entries[i].seal;
  }
  struct wt__seal *seal = seals->expected[sending];
  if (!seal || !seals_put(seals, handle, seal)) return NULL;
  seals->expected[sending] = NULL;
  return seal;
}
