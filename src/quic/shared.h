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
#include "quic/keys.h"
#include "quic/peers.h"

struct wt__shared {
  atomic_size_t connections, handshakes;
  atomic_size_t owed; /* connections beyond a bound, for which a worker with half-open ones ends its oldest */
  struct wt__budget budget;
  pthread_mutex_t lock; /* of `peers`, but for its key */
  struct wt__peers peers;
  pthread_mutex_t keys_lock;
  struct wt__keys keys;
};

/* WT_ERR_TLS: no random bytes. Nothing is to be freed then. */
int wt__shared_init(struct wt__shared *shared);
void wt__shared_free(struct wt__shared *shared);

/* The keys of now; random ones at first. A copy is to be wiped after use. */
void wt__shared_get_keys(struct wt__shared *shared, struct wt__keys *keys);
void wt__shared_set_keys(struct wt__shared *shared, const struct wt__keys *keys);

/* One more connection, unless there are `max`. Its handshake is open. */
bool wt__shared_begin(struct wt__shared *shared, size_t max);
/* Likewise, however many there are: another gives way for it. */
void wt__shared_begin_beyond(struct wt__shared *shared);
/* Its handshake is done. */
void wt__shared_handshake_done(struct wt__shared *shared);
void wt__shared_end(struct wt__shared *shared, bool handshake_done);

/* Whether workers other than the one with `own` half-open connections have some that could give way. */
bool wt__shared_may_owe(struct wt__shared *shared, size_t own);
void wt__shared_owe(struct wt__shared *shared);
/* Takes over one of the connections that are owed; false: none is. */
bool wt__shared_pay(struct wt__shared *shared);

/* Connections of one address: the key is that of `wt__peers_key`. */
struct wt__peer_counts {
  size_t established, handshakes;
};
void wt__shared_peer_get(struct wt__shared *shared, uint64_t key, struct wt__peer_counts *counts);
/* A handshake more, of a validated address. WT_ERR_NOMEM. */
int wt__shared_peer_handshake(struct wt__shared *shared, uint64_t key);
/* An established connection more. False: there are `max`, or there is no memory to count it. */
bool wt__shared_peer_establish(struct wt__shared *shared, uint64_t key, size_t max);
void wt__shared_peer_remove(struct wt__shared *shared, enum wt__peers_kind kind, uint64_t key);

#endif
