/* SPDX-License-Identifier: MIT */

/*
 * A server with several workers is one server for its clients, and its bounds hold for all workers together.
 *
 * A client's second connection may come to another worker than its first, so the keys of tokens and stateless resets are the
 * same for all (session tickets: tls_server_gnutls.c). "At most 1,024 connections of an address" means the server: split
 * among the workers, the bound would depend on where the ids of the client's first packets happen to lead.
 *
 * All of it is touched a few times in a connection's life and never for a packet, so counters are plain atomics, and a
 * mutex stands before the map of addresses, another before the keys. Keys are copied out: they may be replaced at any time,
 * and what is done with them takes longer than a copy. The order of memory does not matter for the counters: nothing is
 * read on the strength of their values.
 *
 * A half-open connection that gives way to a new one is of the new one's worker, since a connection belongs to its
 * worker's thread. Where only other workers have half-open ones, the new one is let in beyond the bound, and is owed:
 * the next of those workers to have a turn ends its oldest. So a peer that directs all its handshakes to one worker
 * locks nobody out of the others.
 */

#include "quic/shared.h"

#include "base/mem.h"

int wt__shared_init(struct wt__shared *shared) {
  int error = wt__keys_random(&shared->keys);
  if (!error) error = wt__peers_init(&shared->peers);
  if (error) return error;
  atomic_init(&shared->connections, 0);
  atomic_init(&shared->handshakes, 0);
  atomic_init(&shared->owed, 0);
  wt__budget_init(&shared->budget);
  pthread_mutex_init(&shared->lock, NULL);
  pthread_mutex_init(&shared->keys_lock, NULL);
  return 0;
}

void wt__shared_free(struct wt__shared *shared) {
  wt__peers_free(&shared->peers);
  pthread_mutex_destroy(&shared->lock);
  pthread_mutex_destroy(&shared->keys_lock);
  wt__wipe(&shared->keys, sizeof(shared->keys));
}

void wt__shared_get_keys(struct wt__shared *shared, struct wt__keys *keys) {
  pthread_mutex_lock(&shared->keys_lock);
  *keys = shared->keys;
  pthread_mutex_unlock(&shared->keys_lock);
}

void wt__shared_set_keys(struct wt__shared *shared, const struct wt__keys *keys) {
  pthread_mutex_lock(&shared->keys_lock);
  shared->keys = *keys;
  pthread_mutex_unlock(&shared->keys_lock);
}

bool wt__shared_begin(struct wt__shared *shared, size_t max) {
  if (atomic_fetch_add_explicit(&shared->connections, 1, memory_order_relaxed) >= max) {
    atomic_fetch_sub_explicit(&shared->connections, 1, memory_order_relaxed);
    return false;
  }
  atomic_fetch_add_explicit(&shared->handshakes, 1, memory_order_relaxed);
  return true;
}

void wt__shared_begin_beyond(struct wt__shared *shared) {
  atomic_fetch_add_explicit(&shared->connections, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&shared->handshakes, 1, memory_order_relaxed);
}

void wt__shared_handshake_done(struct wt__shared *shared) {
  atomic_fetch_sub_explicit(&shared->handshakes, 1, memory_order_relaxed);
}

void wt__shared_end(struct wt__shared *shared, bool handshake_done) {
  atomic_fetch_sub_explicit(&shared->connections, 1, memory_order_relaxed);
  if (!handshake_done) wt__shared_handshake_done(shared);
}

bool wt__shared_may_owe(struct wt__shared *shared, size_t own) {
  size_t all = atomic_load_explicit(&shared->handshakes, memory_order_relaxed);
  return all > own && all - own > atomic_load_explicit(&shared->owed, memory_order_relaxed);
}

void wt__shared_owe(struct wt__shared *shared) { atomic_fetch_add_explicit(&shared->owed, 1, memory_order_relaxed); }

bool wt__shared_pay(struct wt__shared *shared) {
  size_t owed = atomic_load_explicit(&shared->owed, memory_order_relaxed);
  while (owed > 0) {
    if (atomic_compare_exchange_weak_explicit(&shared->owed, &owed, owed - 1, memory_order_relaxed,
                                              memory_order_relaxed))
      return true;
  }
  return false;
}

void wt__shared_peer_get(struct wt__shared *shared, uint64_t key, struct wt__peer_counts *counts) {
  pthread_mutex_lock(&shared->lock);
  counts->established = wt__peers_count(&shared->peers, WT__PEERS_ESTABLISHED, key);
  counts->handshakes = wt__peers_count(&shared->peers, WT__PEERS_HANDSHAKES, key);
  pthread_mutex_unlock(&shared->lock);
}

int wt__shared_peer_handshake(struct wt__shared *shared, uint64_t key) {
  pthread_mutex_lock(&shared->lock);
  int error = wt__peers_add(&shared->peers, WT__PEERS_HANDSHAKES, key);
  pthread_mutex_unlock(&shared->lock);
  return error;
}

bool wt__shared_peer_establish(struct wt__shared *shared, uint64_t key, size_t max) {
  pthread_mutex_lock(&shared->lock);
  bool added = wt__peers_count(&shared->peers, WT__PEERS_ESTABLISHED, key) < max &&
               wt__peers_add(&shared->peers, WT__PEERS_ESTABLISHED, key) == 0;
  pthread_mutex_unlock(&shared->lock);
  return added;
}

void wt__shared_peer_remove(struct wt__shared *shared, enum wt__peers_kind kind, uint64_t key) {
  pthread_mutex_lock(&shared->lock);
  wt__peers_remove(&shared->peers, kind, key);
  pthread_mutex_unlock(&shared->lock);
}
