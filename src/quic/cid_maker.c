/* SPDX-License-Identifier: MIT */

/*
 * A server's configuration of connection ids can change at any time, from any thread, and each worker makes ids. So the
 * configuration has a lock and a generation, and each endpoint a copy with a key schedule of its own. A look at the
 * generation tells whether the copy is the newest one; the lock is taken only when it is not, and for nonces that are
 * counted.
 *
 * With a key, no nonce may come twice, or two ids would have the same ciphertext (QUIC-LB, "Connection ID Entropy"). Random
 * nonces do where they are long enough, also across workers, processes and restarts. Short ones are counted for all workers
 * together, from a random number on. When all were used, ids are those of a server without a configuration, as the draft
 * says.
 */

#include "quic/cid_maker.h"

#include <stdio.h>
#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "quic/tls.h"

#define COUNTED_MAX 8 /* bytes of a nonce that is counted */

/* --- Of all endpoints --- */

/* The first nonce, and how many there are: all numbers of its length. */
static int shared_begin_nonces(struct wt__cid_shared *shared, const struct wt__cid_scheme *scheme) {
  shared->nonces_left = UINT64_MAX;
  if (!wt__cid_scheme_counts(scheme)) return 0;
  shared->nonces_left = UINT64_C(1) << (8 * scheme->lb.nonce_len);
  return wt__tls_random(&shared->nonce, sizeof(shared->nonce));
}

int wt__cid_shared_init(struct wt__cid_shared *shared, const struct wt__cid_scheme *scheme) {
  memset(shared, 0, sizeof(*shared));
  if (shared_begin_nonces(shared, scheme)) return WT_ERR_TLS;
  memcpy(&shared->scheme, scheme, sizeof(*scheme));
  atomic_init(&shared->generation, 1);
  pthread_mutex_init(&shared->lock, NULL);
  return 0;
}

void wt__cid_shared_free(struct wt__cid_shared *shared) {
  pthread_mutex_destroy(&shared->lock);
  wt__wipe(&shared->scheme, sizeof(shared->scheme));
}

static int shared_change(struct wt__cid_shared *shared, const struct wt__cid_scheme *scheme) {
  int error = shared_begin_nonces(shared, scheme);
  if (error) return WT_ERR_TLS;
  memcpy(&shared->scheme, scheme, sizeof(*scheme));
  unsigned next = atomic_load_explicit(&shared->generation, memory_order_relaxed) + 1;
  atomic_store_explicit(&shared->generation, next ? next : 1, memory_order_release);
  return 0;
}

int wt__cid_shared_set(struct wt__cid_shared *shared, const struct wt__cid_scheme *scheme, bool *changed, char *why,
                       size_t size) {
  int error = 0;
  *changed = false;
  pthread_mutex_lock(&shared->lock);
  if (scheme->len != shared->scheme.len) {
    (void)snprintf(why, size, "length is %u, must stay %u while the server runs", scheme->len, shared->scheme.len);
    error = WT_ERR_INVALID;
  } else if (!wt__cid_scheme_equal(scheme, &shared->scheme)) {
    error = shared_change(shared, scheme);
    *changed = error == 0;
  }
  pthread_mutex_unlock(&shared->lock);
  return error;
}

/* --- Of one endpoint --- */

int wt__cid_maker_init(struct wt__cid_maker *maker, struct wt__cid_shared *shared, unsigned worker, unsigned workers) {
  memset(maker, 0, sizeof(*maker));
  maker->shared = shared;
  maker->worker = worker;
  maker->workers = workers;
  return wt__cid_maker_update(maker);
}

void wt__cid_maker_free(struct wt__cid_maker *maker) {
  wt__aes_free(maker->aes);
  maker->aes = NULL;
  wt__wipe(&maker->scheme, sizeof(maker->scheme));
}

int wt__cid_maker_update(struct wt__cid_maker *maker) {
  struct wt__cid_shared *shared = maker->shared;
  struct wt__cid_scheme scheme;
  struct wt__aes *aes = NULL;
  pthread_mutex_lock(&shared->lock);
  memcpy(&scheme, &shared->scheme, sizeof(scheme));
  unsigned generation = atomic_load_explicit(&shared->generation, memory_order_relaxed);
  pthread_mutex_unlock(&shared->lock);
  int error = scheme.lb.encrypted ? wt__aes_new(&aes, scheme.key) : 0;
  if (!error) {
    wt__aes_free(maker->aes);
    maker->aes = aes;
    memcpy(&maker->scheme, &scheme, sizeof(scheme));
    maker->generation = generation;
    maker->exhausted = false;
  }
  wt__wipe(&scheme, sizeof(scheme));
  return error;
}

/* Takes the next nonce. False: there is none left, or the configuration is not the maker's any more. */
static bool maker_count_nonce(struct wt__cid_maker *maker, uint8_t *nonce) {
  struct wt__cid_shared *shared = maker->shared;
  size_t len = maker->scheme.lb.nonce_len;
  pthread_mutex_lock(&shared->lock);
  bool taken = shared->nonces_left > 0 && !wt__cid_maker_is_behind(maker);
  if (taken) {
    shared->nonces_left--;
    uint64_t number = shared->nonce++;
    for (size_t i = len; i-- > 0; number >>= 8) nonce[i] = (uint8_t)number;
  }
  pthread_mutex_unlock(&shared->lock);
  return taken;
}

int wt__cid_make(struct wt__cid_maker *maker, uint8_t *id) {
  uint8_t nonce[COUNTED_MAX];
  int error = wt__cid_maker_is_behind(maker) ? wt__cid_maker_update(maker) : 0;
  if (!error) error = wt__cid_generate(id, maker->scheme.len, maker->worker, maker->workers);
  if (error) return error;
  if (!wt__cid_scheme_counts(&maker->scheme)) return wt__cid_scheme_write(&maker->scheme, maker->aes, NULL, id);
  if (maker_count_nonce(maker, nonce)) return wt__cid_scheme_write(&maker->scheme, maker->aes, nonce, id);
  if (wt__cid_maker_is_behind(maker)) return wt__cid_make(maker, id);
  maker->exhausted = true;
  wt__lb_cid_make_unroutable(id, maker->scheme.len); /* as a server without a configuration */
  return 0;
}
