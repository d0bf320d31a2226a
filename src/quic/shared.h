/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_SHARED_H
#define WT_QUIC_SHARED_H

/* What the endpoints of a server share, each of which has a thread of its own: what proves an address to one of them
 * proves it to all, and bounds hold for the server as a whole. Any thread may make these calls. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "quic/budget.h"
#include "quic/peers.h"
#include "quic/token.h"

struct wt__shared {
  struct wt__token_key token_key; /* never changes */
  atomic_size_t connections, handshakes;
  struct wt__budget budget;
  pthread_mutex_t lock; /* of `peers`, but for its key */
  struct wt__peers peers;
};

/* WT_ERR_TLS: no random bytes. Nothing is to be freed then. */
int wt__shared_init(struct wt__shared *shared);
void wt__shared_free(struct wt__shared *shared);

/* One more connection, unless there are `max`. Its handshake is open. */
bool wt__shared_begin(struct wt__shared *shared, size_t max);
/* Its handshake is done. */
void wt__shared_shake(struct wt__shared *shared);
void wt__shared_end(struct wt__shared *shared, bool shaken);

/* Connections of one address: the key is that of `wt__peers_key`. */
bool wt__shared_peer_is_full(struct wt__shared *shared, uint64_t key, size_t max);
/* One more. False: there are `max`, nothing is counted. `*counted`: it is to be removed later. */
bool wt__shared_peer_add(struct wt__shared *shared, uint64_t key, size_t max, bool *counted);
void wt__shared_peer_remove(struct wt__shared *shared, uint64_t key);

#endif
