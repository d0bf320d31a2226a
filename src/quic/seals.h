/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_SEALS_H
#define WT_QUIC_SEALS_H

/* Which seal stands for which key of ngtcp2's, on one connection. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/seal.h"

#define WT__SEALS_MAX 6 /* both directions: those of now, and the next; for receiving also the last */

struct wt__seals {
  enum wt__seal_cipher cipher;
  struct {
    const void *handle; /* what ngtcp2 knows the key by */
    struct wt__seal *seal;
  } entries[WT__SEALS_MAX];
  size_t len;
  struct wt__seal *expected[2]; /* [receiving, sending]: of a key whose handle is not known yet */
};

void wt__seals_free(struct wt__seals *seals);

/* The first key of a direction, which ngtcp2 has just been given under a handle that nobody sees before it is used. */
void wt__seals_expect(struct wt__seals *seals, bool sending, enum wt__seal_cipher cipher, const uint8_t *key);
/* A later key, for the same cipher. */
void wt__seals_add(struct wt__seals *seals, const void *handle, const uint8_t *key);
/* ngtcp2 has no more use for the key. */
void wt__seals_remove(struct wt__seals *seals, const void *handle);

/* The seal for a handle that is being used on a 1-RTT packet; NULL: there is none. */
const struct wt__seal *wt__seals_of(struct wt__seals *seals, const void *handle, bool sending);

#endif
