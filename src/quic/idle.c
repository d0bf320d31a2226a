/* SPDX-License-Identifier: MIT */

/*
 * The idle timeout that both ends have agreed on, and the PINGs that keep a connection from it.
 *
 * Each end announces a time; the lower of the two counts for both, but never less than three probe timeouts (RFC 9000,
 * section 10.1). A PING goes out after half of that at the latest, so that one that is lost can be sent again in time.
 *
 * Probe timeouts (PTO) change with the round-trip time. So where they matter, the interval is looked at again each time
 * the connection is run. A peer that announces a millisecond gets no more than two PINGs in three PTO.
 */

#include "quic/idle.h"

#include "base/clock.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"

#define IDLE_PTOS 3

static uint64_t lower(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* The lower of the two, without those that announced none. */
void wt__conn_learn_idle(struct wt__conn *conn) {
  const ngtcp2_transport_params *peer = ngtcp2_conn_get_remote_transport_params(conn->quic);
  uint64_t own = conn->endpoint->config.idle_timeout_ms * WT__NS_PER_MS, theirs = peer ? peer->max_idle_timeout : 0;
  conn->idle_announced = lower(own ? own : UINT64_MAX, theirs ? theirs : UINT64_MAX);
}

uint64_t wt__conn_idle_timeout(const struct wt__conn *conn) {
  uint64_t least = IDLE_PTOS * conn->pto;
  return conn->idle_announced > least ? conn->idle_announced : least;
}

void wt__conn_update_keep_alive(struct wt__conn *conn) {
  uint64_t interval = conn->endpoint->config.keep_alive_ms * WT__NS_PER_MS;
  if (!conn->keep_alive || !interval) {
    interval = UINT64_MAX;
  } else {
    interval = lower(interval, wt__conn_idle_timeout(conn) / 2);
  }
  if (interval == conn->keep_alive_interval) return;
  conn->keep_alive_interval = interval;
  ngtcp2_conn_set_keep_alive_timeout(conn->quic, interval);
}
