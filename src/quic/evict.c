/* SPDX-License-Identifier: MIT */

/*
 * Which connections are closed when memory stays full.
 *
 * While memory is full, new connections are refused and connections over their share are held back (pressure.c). That helps
 * against connections that move much data, because they will have moved it soon. It does not help against connections that
 * hold memory and never give it back: they stay as long as they like, and nobody else is served.
 *
 * So if memory has been full for some seconds, the largest connections over their share are closed with H3_EXCESSIVE_LOAD,
 * one after another, until memory is no longer full. Each worker looks at its own connections. Only one worker acts at a
 * time, because each of them could free enough for all.
 *
 * The share is an equal part of half of the memory. An equal part of the full memory would not do: if all connections held
 * the same, none would be over its share. A connection that holds 128 KiB or less is never closed, however many there are.
 *
 * Nothing is closed if that cannot help: if the connections within their share fill the memory by themselves, the limit is
 * too small for them. New connections are then refused, and the existing ones go on.
 *
 * Before all that, and at once, the remains of closed connections are freed. A peer that missed the close of such a
 * connection gets a stateless reset instead.
 *
 * All that a connection holds counts here, also what is queued to be sent: a peer that sends requests and never reads the
 * answers holds as much as a peer that sends data with gaps.
 */

#include "quic/evict.h"

#include "base/clock.h"
#include "base/gauge.h"
#include "base/list.h"
#include "base/log_limit.h"
#include "quic/budget.h"
#include "quic/closing.h"
#include "quic/conn.h"
#include "quic/connection_close.h"
#include "quic/endpoint_state.h"
#include "quic/path.h"
#include "quic/pressure.h"
#include "quic/rebinding.h"
#include "quic/wake.h"
#include "wire/error_code.h"

#define FULL_FOR (5000 * WT__NS_PER_MS) /* how long memory is full before anybody is closed: a burst is over by then */
#define FULL_AGAIN_FOR \
  (1000 * WT__NS_PER_MS) /* the same, if it was so lately: those who were closed may have come back */
#define LATELY (60000 * WT__NS_PER_MS)
#define LOOK_INTERVAL (250 * WT__NS_PER_MS) /* between two looks at all connections */
#define POLL (1000 * WT__NS_PER_MS) /* between two looks at the sum of all workers, by one that nothing else wakes */
#define LARGEST 16                  /* closed at most in a turn */
#define MIB(bytes) ((double)(bytes) / 1048576)

/* The connections that hold most, the largest first. */
struct largest {
  struct wt__conn *conns[LARGEST];
  size_t len;
};

static size_t conn_holds(const struct wt__conn *conn) { return wt__gauge_total(&conn->gauge); }

static void largest_add(struct largest *largest, struct wt__conn *conn) {
  size_t at = largest->len;
  while (at > 0 && conn_holds(largest->conns[at - 1]) < conn_holds(conn)) at--;
  if (at == LARGEST) return;
  if (largest->len < LARGEST) largest->len++;
  for (size_t i = largest->len - 1; i > at; i--) largest->conns[i] = largest->conns[i - 1];
  largest->conns[at] = conn;
}

void wt__endpoint_publish_over(struct wt__endpoint *endpoint, size_t over) {
  atomic_fetch_add_explicit(&endpoint->shared->budget.over, over - endpoint->published_over, memory_order_relaxed);
  endpoint->published_over = over;
}

/* Finds the largest of those over their share, and tells other workers what all of those hold. */
static void endpoint_look(struct wt__endpoint *endpoint, struct largest *largest) {
  size_t over = 0, share = wt__endpoint_evict_share(endpoint);
  largest->len = 0;
  WT__LIST_FOREACH(link, next, &endpoint->conns) {
    struct wt__conn *conn = WT__CONTAINER_OF(link, struct wt__conn, link);
    if (conn_holds(conn) <= share) continue;
    over += conn_holds(conn);
    largest_add(largest, conn);
  }
  wt__endpoint_publish_over(endpoint, over);
}

/* Whether memory would not be full without the connections that are over their share. */
static bool endpoint_can_help(const struct wt__endpoint *endpoint) {
  const struct wt__budget *budget = &endpoint->shared->budget;
  size_t used = atomic_load_explicit(&budget->used, memory_order_relaxed);
  size_t over = atomic_load_explicit(&budget->over, memory_order_relaxed);
  return used < over || used - over < wt__budget_full_end(endpoint->config.max_memory);
}

static uint64_t elapsed(uint64_t since, uint64_t now) { return since < now ? now - since : 0; }

/* False: another worker has closed connections a moment ago. */
static bool endpoint_take_turn(struct wt__endpoint *endpoint) {
  _Atomic uint64_t *evicted_at = &endpoint->shared->budget.evicted_at;
  uint64_t last = atomic_load_explicit(evicted_at, memory_order_relaxed);
  if (last != UINT64_MAX && elapsed(last, endpoint->now) < LOOK_INTERVAL) return false;
  return atomic_compare_exchange_strong_explicit(evicted_at, &last, endpoint->now, memory_order_relaxed,
                                                 memory_order_relaxed);
}

static void conn_evict(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  char peer[WT__PEER_TEXT_MAX];
  WT__WARN_LIMITED(endpoint->config.log, &endpoint->gauge.lines, endpoint->now,
                   WT__EVENT_OF("connection_evicted", WT__CONNECTION(conn), WT__INTEGER("bytes", conn_holds(conn))),
                   "connection from %s is closed, because memory stays full: it holds %.1f MiB",
                   wt__conn_peer_text(conn, peer, sizeof(peer)), MIB(conn_holds(conn)));
  endpoint->stats.memory_closed_connections++;
  wt__conn_want_close(conn, WT_TRANSPORT, WT__H3_EXCESSIVE_LOAD, "the server's memory is full");
  wt__conn_close_now(conn);
}

/* How long memory has to be full before somebody is closed. */
static uint64_t endpoint_patience(const struct wt__endpoint *endpoint) {
  uint64_t last = atomic_load_explicit(&endpoint->shared->budget.evicted_at, memory_order_relaxed);
  return last != UINT64_MAX && elapsed(last, endpoint->now) < LATELY ? FULL_AGAIN_FOR : FULL_FOR;
}

static void endpoint_drop_remains(struct wt__endpoint *endpoint) {
  struct wt__link *link;
  while (endpoint->gauge.pressure == WT__PRESSURE_FULL && (link = wt__list_first(&endpoint->ended))) {
    wt__conn_free(WT__CONTAINER_OF(link, struct wt__conn, link), WT_LOCAL, 0);
    wt__endpoint_publish_memory(endpoint);
    (void)wt__endpoint_update_pressure(endpoint);
  }
}

void wt__endpoint_evict(struct wt__endpoint *endpoint) {
  struct largest largest;
  endpoint_drop_remains(endpoint);
  if (endpoint->gauge.pressure != WT__PRESSURE_FULL) {
    endpoint->evict_at = UINT64_MAX;
    if (endpoint->published_over) wt__endpoint_publish_over(endpoint, 0);
    return;
  }
  if (endpoint->evict_at != UINT64_MAX && endpoint->now < endpoint->evict_at) return;
  uint64_t since = atomic_load_explicit(&endpoint->shared->budget.full_since, memory_order_relaxed);
  uint64_t patience = endpoint_patience(endpoint);
  if (elapsed(since, endpoint->now) < patience) {
    endpoint->evict_at = since + patience;
    return;
  }
  endpoint->evict_at = endpoint->now + LOOK_INTERVAL;
  endpoint_look(endpoint, &largest);
  if (largest.len == 0 || !endpoint_can_help(endpoint) || !endpoint_take_turn(endpoint)) return;
  for (size_t i = 0; i < largest.len && endpoint->gauge.pressure == WT__PRESSURE_FULL; i++) {
    conn_evict(largest.conns[i]);
    wt__endpoint_publish_memory(endpoint);
    (void)wt__endpoint_update_pressure(endpoint);
  }
}

/* A worker without packets does not see that memory has become full by what others hold. One that holds little need not
 * see it. */
uint64_t wt__endpoint_evict_expiry(const struct wt__endpoint *endpoint) {
  const struct wt__endpoint_config *config = &endpoint->config;
  if (endpoint->evict_at != UINT64_MAX) return endpoint->evict_at;
  bool looks = config->workers > 1 && config->max_memory &&
               wt__endpoint_memory(endpoint) > wt__budget_full(config->max_memory) / (8 * config->workers);
  return looks ? endpoint->now + POLL : UINT64_MAX;
}
