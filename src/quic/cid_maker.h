/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CID_MAKER_H
#define WT_QUIC_CID_MAKER_H

/* Makes the connection ids of a server, as its configuration says at this time. See cid_maker.c. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/cid_scheme.h"

/* The configuration, of all endpoints of a server. Any thread. */
struct wt__cid_shared {
  pthread_mutex_t lock;         /* of all that follows but `generation` */
  _Atomic unsigned generation;  /* of `scheme`; never 0 */
  struct wt__cid_scheme scheme; /* whose length never changes */
  uint64_t nonce, nonces_left;  /* of schemes that count them */
};

/* WT_ERR_TLS: no random bytes. Nothing is to be freed then. */
int wt__cid_shared_init(struct wt__cid_shared *shared, const struct wt__cid_scheme *scheme);
void wt__cid_shared_free(struct wt__cid_shared *shared);
/* Whether anything has changed goes to `*changed`. WT_ERR_INVALID, with a sentence in `why`: the length is another one.
 * WT_ERR_TLS. */
int wt__cid_shared_set(struct wt__cid_shared *shared, const struct wt__cid_scheme *scheme, bool *changed, char *why,
                       size_t size);

/* That of an endpoint: one thread. */
struct wt__cid_maker {
  struct wt__cid_shared *shared;
  unsigned generation; /* of the copy */
  struct wt__cid_scheme scheme;
  struct wt__aes *aes; /* NULL: nothing is encrypted */
  unsigned worker, workers;
  bool exhausted; /* all nonces are used up: new ids cannot be routed */
};

/* WT_ERR_NOMEM, WT_ERR_TLS. `free` is allowed in any case. */
int wt__cid_maker_init(struct wt__cid_maker *maker, struct wt__cid_shared *shared, unsigned worker, unsigned workers);
void wt__cid_maker_free(struct wt__cid_maker *maker);

/* Whether there is a newer configuration than the maker's, and getting it. WT_ERR_NOMEM, WT_ERR_TLS: it keeps its own. */
static inline bool wt__cid_maker_is_behind(const struct wt__cid_maker *maker) {
  return atomic_load_explicit(&maker->shared->generation, memory_order_relaxed) != maker->generation;
}
int wt__cid_maker_update(struct wt__cid_maker *maker);

/* Fills in a fresh id, `maker->scheme.len` bytes, by the newest configuration. WT_ERR_NOMEM, WT_ERR_TLS. */
int wt__cid_make(struct wt__cid_maker *maker, uint8_t *id);

#endif
