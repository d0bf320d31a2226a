/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_RESUMPTION_H
#define WT_QUIC_RESUMPTION_H

/*
 * What a client keeps for its next connection to a server: session tickets and address tokens. Each is given out once.
 * They are secret, and are overwritten before they are freed.
 */

#include <stddef.h>
#include <stdint.h>

#define WT__RESUMPTION_MAX_SERVERS 64
#define WT__RESUMPTION_MAX_ITEMS 4      /* of a kind, of a server */
#define WT__RESUMPTION_MAX_TICKET 16384 /* bytes; it holds the server's certificates */
#define WT__RESUMPTION_MAX_TOKEN 512    /* bytes; it has to fit into the first packet */

enum wt__resumption_kind {
  WT__RESUMPTION_TICKET = 0,
  WT__RESUMPTION_TOKEN = 1,
};
#define WT__RESUMPTION_KINDS 2

/* Whose it is. Tickets and tokens of one QUIC version must not be used with another (RFC 9369, section 5). */
struct wt__resumption_key {
  const char *server; /* copied where it is kept */
  uint32_t version;
};

struct wt__resumption;

/* NULL when out of memory. */
struct wt__resumption *wt__resumption_new(void);
void wt__resumption_free(struct wt__resumption *store);

/* Remembers `len` bytes for `key`, good until `expires_at` (seconds since 1970-01-01 UTC). What is longer
 * than its kind may be, or for which there is no memory, is dropped. */
void wt__resumption_put(struct wt__resumption *store, const struct wt__resumption_key *key,
                        enum wt__resumption_kind kind, const void *data, size_t len, int64_t expires_at);

struct wt__resumption_item {
  int64_t expires_at;
  size_t len;
  uint8_t data[];
};

/* The latest that is still good at `now`, which the store does not have any more: to be freed with `wt__resumption_item_free`. NULL:
 * there is none. */
struct wt__resumption_item *wt__resumption_take(struct wt__resumption *store, const struct wt__resumption_key *key,
                                                enum wt__resumption_kind kind, int64_t now);
/* Takes back, as the latest, what was taken and not used after all. Where others have its place, it is freed. NULL is
 * allowed. */
void wt__resumption_give_back(struct wt__resumption *store, const struct wt__resumption_key *key,
                              enum wt__resumption_kind kind, struct wt__resumption_item *item);
/* NULL is allowed. */
void wt__resumption_item_free(struct wt__resumption_item *item);

#endif
