/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_KEYS_H
#define WT_QUIC_KEYS_H

/* The keys of a server for what clients bring back: address tokens, ids of connections that are gone, session tickets.
 * See keys_gnutls.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "quic/token.h"

#define WT__KEYS_MAX 3           /* current, previous, next */
#define WT__KEYS_SECRET_MIN 32   /* bytes */
#define WT__KEYS_SECRET_MAX 256  /* bytes; more tell no more */
#define WT__RESET_KEY_LEN 32     /* bytes */
#define WT__TICKET_SECRET_LEN 64 /* bytes, as many as GnuTLS wants */

/* The first key of each kind is for what is made; the others are for what was made before, or by a machine that is ahead. */
struct wt__keys {
  bool of_fleet; /* other machines have them too: tokens go by the time of day */
  size_t token_count, reset_count;
  struct wt__token_key token[WT__KEYS_MAX];
  uint8_t reset[WT__KEYS_MAX][WT__RESET_KEY_LEN];
};

/* Of session tickets, likewise. TLS has them, not the endpoints. */
struct wt__ticket_secrets {
  size_t count; /* 0: there are no tickets */
  uint8_t secret[WT__KEYS_MAX][WT__TICKET_SECRET_LEN];
};

/* One random key of each kind. WT_ERR_TLS. */
int wt__keys_random(struct wt__keys *keys);
int wt__ticket_secrets_random(struct wt__ticket_secrets *tickets);

/* What follows from the secrets of a fleet, of which the first is the current one. One of length 0 is left out, and so is
 * one that was there before. WT_ERR_INVALID: one is shorter or longer than allowed, or there is none. WT_ERR_TLS. */
int wt__keys_derive(struct wt__keys *keys, struct wt__ticket_secrets *tickets, const struct wt__vec *secrets,
                    size_t count);

/* Stateless resets use this key alone from now on. */
void wt__keys_fix_reset(struct wt__keys *keys, const uint8_t key[static WT__RESET_KEY_LEN]);

#endif
