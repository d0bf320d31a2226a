/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_PEERS_H
#define WT_QUIC_PEERS_H

/*
 * How many connections each address has: an IPv4 address, or the /64 that an IPv6 host can choose its
 * addresses from. A connection counts once its address is validated: while its handshake lasts, if it began with a
 * token of ours, and then as established. Without a token anybody can put another's address on an Initial packet and
 * would so use up the other's share.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/map.h"

enum wt__peers_kind {
  WT__PEERS_ESTABLISHED,
  WT__PEERS_HANDSHAKES, /* validated by a token, and not done */
};
#define WT__PEERS_KINDS 2

struct wt__peers {
  struct wt__map counts[WT__PEERS_KINDS];
  uint64_t secret; /* peers choose their addresses, but not where those lie in the map */
};

/* WT_ERR_TLS: no random bytes. */
int wt__peers_init(struct wt__peers *peers);
void wt__peers_free(struct wt__peers *peers);

/* What stands for the address of `sockaddr`, of whatever port. */
uint64_t wt__peers_key(const struct wt__peers *peers, const struct sockaddr *address);

size_t wt__peers_count(const struct wt__peers *peers, enum wt__peers_kind kind, uint64_t key);
/* One more. WT_ERR_NOMEM. */
int wt__peers_add(struct wt__peers *peers, enum wt__peers_kind kind, uint64_t key);
/* One less; a key that was never added is passed over. */
void wt__peers_remove(struct wt__peers *peers, enum wt__peers_kind kind, uint64_t key);

#endif
