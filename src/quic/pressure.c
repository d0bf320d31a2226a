/* SPDX-License-Identifier: MIT */

/*
 * One bound for the memory of all connections of a server. The bounds on each connection are not enough: ten thousand
 * connections within their bounds can hold a hundred gigabytes.
 *
 * base/gauge.h says what is counted. Each worker counts for itself, and adds a change of some 64 KiB or more to a common sum:
 * no packet writes to memory that another worker's packets use.
 *
 *       0          1/2             3/4             max
 *       |  normal   |     HIGH      |     FULL      |
 *
 * HIGH: windows go back to their initial size, and queues for sending are shorter (core/sendq.c). So connections that move
 * much data give way before anybody is refused.
 *
 * FULL: new connections are refused, new requests and sessions are answered with 503 (h3/request_run.c). That alone would
 * be no bound: peers may still fill the windows they have, and all the initial windows together are far more than the
 * limit. Smaller windows would make every client pay for what a few do. So the last quarter has a rule: the share of a
 * connection is an equal part of the first three quarters, and a little more. The window of a connection that holds more
 * than its share is not extended, and its packets are treated as if the network had lost them; the peer sends them again.
 * A small packet passes ten times a second, and four of them at once: they may be acknowledgements, the end of a session,
 * or the CONNECTION_CLOSE behind it, after which all its memory is free. Sessions that hold little do not notice any of it. This is for seconds: if memory stays full, the connections that hold most are closed
 * (evict.c), so that others are served again.
 *
 * Each state is left a sixteenth below where it is entered, so that it does not change with every packet.
 */

#include "quic/pressure.h"

#include "base/clock.h"
#include "base/gauge.h"
#include "base/list.h"
#include "base/log_limit.h"
#include "base/pool.h"
#include "quic/budget.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/shared.h"
#include "quic/wake.h"
#include "quic/window.h"

#define SMALL_PACKET 100
#define SMALL_INTERVAL (100 * WT__NS_PER_MS)
#define SMALL_BURST 4 /* packets at once: a client that leaves sends two or three, and then nothing any more */
#define MIB(bytes) ((double)(bytes) / 1048576)

/* --- A worker --- */

static void pressure_log(struct wt__endpoint *endpoint, enum wt__pressure pressure, size_t used) {
  static const char *const names[] = {
      [WT__PRESSURE_NONE] = "none",
      [WT__PRESSURE_HIGH] = "high",
      [WT__PRESSURE_FULL] = "full",
  };
  static const char *const then[] = {
      [WT__PRESSURE_NONE] = "enough is free again",
      [WT__PRESSURE_HIGH] = "windows and queues do not grow",
      [WT__PRESSURE_FULL] = "new connections, sessions and requests are refused",
  };
  WT__WARN_LIMITED(endpoint->config.log, &endpoint->gauge.lines, endpoint->now,
                   WT__EVENT_OF("memory_pressure", WT__TEXT("state", names[pressure]), WT__INTEGER("bytes", used),
                                WT__INTEGER("max_bytes", endpoint->config.max_memory)),
                   "connections hold %.1f of %.1f MiB: %s", MIB(used), MIB(endpoint->config.max_memory),
                   then[pressure]);
}

/* Of several workers that see the border crossed, one says so. */
static enum wt__pressure pressure_update(struct wt__endpoint *endpoint, size_t used) {
  struct wt__budget *budget = &endpoint->shared->budget;
  int before = atomic_load_explicit(&budget->pressure, memory_order_acquire);
  enum wt__pressure now = wt__budget_pressure(used, endpoint->config.max_memory, (enum wt__pressure)before);
  if (now == WT__PRESSURE_FULL && before != WT__PRESSURE_FULL)
    atomic_store_explicit(&budget->full_since, endpoint->now, memory_order_relaxed); /* before anybody sees `now` */
  if (now != (enum wt__pressure)before &&
      atomic_compare_exchange_strong_explicit(&budget->pressure, &before, (int)now, memory_order_acq_rel,
                                              memory_order_relaxed)) {
    pressure_log(endpoint, now, used);
  }
  return now;
}

/* Of three quarters, not of what is used: else the share would grow with those who use it. Of connections whose
 * handshake is done: who begins many and finishes none would make it small for all others. */
static size_t share_of(const struct wt__endpoint *endpoint, size_t memory) {
  const struct wt__shared *shared = endpoint->shared;
  size_t connections = atomic_load_explicit(&shared->connections, memory_order_relaxed);
  size_t handshakes = atomic_load_explicit(&shared->handshakes, memory_order_relaxed);
  connections = connections > handshakes ? connections - handshakes : 0;
  return memory / (connections ? connections : 1) + WT__BUDGET_SHARE_MORE;
}

size_t wt__endpoint_evict_share(const struct wt__endpoint *endpoint) {
  size_t share = share_of(endpoint, endpoint->config.max_memory / 2);
  return share > WT__BUDGET_SMALL ? share : WT__BUDGET_SMALL;
}

static void withheld_wake(struct wt__endpoint *endpoint) {
  WT__LIST_FOREACH(link, next, &endpoint->conns) {
    struct wt__conn *conn = WT__CONTAINER_OF(link, struct wt__conn, link);
    if (conn->withheld) wt__conn_wake(conn);
  }
}

size_t wt__endpoint_memory(const struct wt__endpoint *endpoint) {
  return endpoint->gauge.bytes + wt__pool_spare(&endpoint->pool);
}

void wt__endpoint_publish_memory(struct wt__endpoint *endpoint) {
  size_t held = wt__endpoint_memory(endpoint);
  atomic_fetch_add_explicit(&endpoint->shared->budget.used, held - endpoint->published, memory_order_relaxed);
  endpoint->published = held;
}

enum wt__pressure wt__endpoint_update_pressure(struct wt__endpoint *endpoint) {
  struct wt__gauge_sum *gauge = &endpoint->gauge;
  size_t used = atomic_load_explicit(&endpoint->shared->budget.used, memory_order_relaxed);
  gauge->pressure = pressure_update(endpoint, used);
  gauge->share = gauge->pressure == WT__PRESSURE_FULL ? share_of(endpoint, wt__budget_full(endpoint->config.max_memory))
                                                      : SIZE_MAX;
  if (gauge->pressure != WT__PRESSURE_FULL && endpoint->withheld) withheld_wake(endpoint);
  return gauge->pressure;
}

void wt__endpoint_update_budget(struct wt__endpoint *endpoint) {
  struct wt__gauge_sum *gauge = &endpoint->gauge;
  struct wt__budget *budget = &endpoint->shared->budget;
  size_t max = endpoint->config.max_memory, step = wt__budget_step(max);
  if (max == 0) return;
  bool changed =
      wt__endpoint_memory(endpoint) - endpoint->published + step > 2 * step; /* by more than a step, up or down */
  int pressure = atomic_load_explicit(&budget->pressure, memory_order_relaxed);
  if (!changed && pressure == (int)gauge->pressure && pressure != WT__PRESSURE_FULL) return;
  if (changed) wt__endpoint_publish_memory(endpoint);
  (void)wt__endpoint_update_pressure(endpoint);
}

/* --- A connection --- */

static bool conn_is_over(const struct wt__conn *conn) { return conn->gauge.bytes > conn->endpoint->gauge.share; }

static bool conn_admits_small(struct wt__conn *conn, uint64_t now) {
  if (conn->small_at > now + (SMALL_BURST - 1) * SMALL_INTERVAL) return false;
  conn->small_at = (conn->small_at > now ? conn->small_at : now) + SMALL_INTERVAL;
  return true;
}

bool wt__conn_refuses_packet(struct wt__conn *conn, size_t len) {
  struct wt__endpoint *endpoint = conn->endpoint;
  if (!conn_is_over(conn) || !conn->handshake_done) return false;
  if (len <= SMALL_PACKET && conn_admits_small(conn, endpoint->now)) return false;
  endpoint->stats.memory_refused_packets++;
  return true;
}

static void conn_withhold(struct wt__conn *conn, bool withheld) {
  if (conn->withheld == withheld) return;
  conn->withheld = withheld;
  if (withheld) {
    conn->endpoint->withheld++;
  } else {
    conn->endpoint->withheld--;
  }
}

void wt__conn_extend_max_data(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  ngtcp2_conn_info info;
  if (!wt__window_due(&conn->window)) return;
  conn_withhold(conn, conn_is_over(conn));
  if (conn->withheld) return;
  ngtcp2_conn_get_conn_info(conn->quic, &info);
  uint64_t more =
      wt__window_extend(&conn->window, endpoint->gauge.pressure == WT__PRESSURE_NONE, endpoint->now, info.smoothed_rtt);
  if (!more) return;
  ngtcp2_conn_extend_max_offset(conn->quic, more);
  conn->ack_wait.urgent = true;
}
