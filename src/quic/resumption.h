/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_RESUMPTION_H
#define WT_QUIC_RESUMPTION_H

/*
 * What a client remembers of servers for its next connection to them: session tickets and address tokens. Each is
 * given out once. What is in it is secret, and is overwritten before it is freed.
 */

#include <stddef.h>
#include <stdint.h>

#define WT__MEMORY_MAX_SERVERS 64
#define WT__MEMORY_MAX_ITEMS 4      /* of a kind, of a server */
#define WT__MEMORY_MAX_TICKET 16384 /* bytes; it holds the server's certificates */
#define WT__MEMORY_MAX_TOKEN 512    /* bytes; it has to fit into the first packet */

enum wt__memory_kind {
  WT__MEMORY_TICKET = 0,
  WT__MEMORY_TOKEN = 1,
};
#define WT__MEMORY_KINDS 2

/* Whose it is. Tickets and tokens of one QUIC version must not be used with another (RFC 9369, section 5). */
struct wt__memory_key {
  const char *server; /* copied where it is kept */
  uint32_t version;
};

struct wt__memory;

/* NULL when out of memory. */
struct wt__memory *wt__memory_new(void);
void wt__memory_free(struct wt__memory *memory);

/* Remembers `len` bytes for `key`, good until `expires_at` (seconds since 1970-01-01 UTC). What is longer
 * than its kind may be, or finds no memory, is forgotten at once. */
void wt__memory_put(struct wt__memory *memory, const struct wt__memory_key *key, enum wt__memory_kind kind,
                    const void *data, size_t len, int64_t expires_at);

struct wt__memory_item {
  int64_t expires_at;
  size_t len;
  uint8_t data[];
};

/* The latest that is still good at `now`, which the memory has no more: to be freed with `wt__memory_item_free`. NULL:
 * there is none. */
struct wt__memory_item *wt__memory_take(struct wt__memory *memory, const struct wt__memory_key *key,
                                        enum wt__memory_kind kind, int64_t now);
/* Takes back, as the latest, what was taken and not used after all. Where others have its place, it is freed. NULL is
 * allowed. */
void wt__memory_give_back(struct wt__memory *memory, const struct wt__memory_key *key, enum wt__memory_kind kind,
                          struct wt__memory_item *item);
/* NULL is allowed. */
void wt__memory_item_free(struct wt__memory_item *item);

#endif
