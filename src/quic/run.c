/* SPDX-License-Identifier: MIT */

/*
 * A connection's turn: timers that are due, work that was put off, packets to write, and the time of the next turn.
 *
 * ngtcp2's connection must not be written or freed inside its callbacks. So what others want of a connection is only
 * noted (wake.c), and is done here.
 */

#include "quic/run.h"

#include <ngtcp2/ngtcp2.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/list.h"
#include "h3/conn.h"
#include "quic/ack_wait.h"
#include "quic/cid_issue.h"
#include "quic/closing.h"
#include "quic/conn.h"
#include "quic/connection_close.h"
#include "quic/current.h"
#include "quic/endpoint_state.h"
#include "quic/idle.h"
#include "quic/pacing.h"
#include "quic/packet_keys.h"
#include "quic/path_watch.h"
#include "quic/pressure.h"
#include "quic/probe.h"
#include "quic/reset_at.h"
#include "quic/stops.h"
#include "quic/wake.h"
#include "quic/write.h"

#define SETTLED_INTERVAL \
  (2 * WT__NS_PER_MS) /* a round trip of the loop with some hundred messages; max_ack_delay allows 25 ms */
#define BLOCKED_INTERVAL (25 * WT__NS_PER_MS) /* how often deadlines are looked at while the socket is full */

/* What only packets need, of which none came or went for a while. */
static void conn_release_idle(struct wt__conn *conn) {
  conn->release_at = UINT64_MAX;
  wt__packet_keys_release(&conn->keys);
  wt__stops_free(conn);
}

bool wt__conn_expire(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  if (conn->state != WT__CONN_OPEN) {
    wt__conn_free(conn, WT_TRANSPORT, NGTCP2_NO_ERROR);
    return false;
  }
  int error = wt__pacing_catch_up(conn);
  if (!error) error = wt__reset_at_recv_expire(conn);
  wt__reset_at_send_expire(conn);
  wt__conn_expire_cids(conn);
  if (conn->release_at <= endpoint->now) conn_release_idle(conn);
  wt__path_watch_expire(conn);
  if (!error && ngtcp2_conn_get_expiry(conn->quic) <= endpoint->now) {
    error = ngtcp2_conn_handle_expiry(conn->quic, endpoint->now);
    conn->ack_wait.urgent = true;
    wt__probe_expired(conn);
  }
  if (error) {
    wt__conn_fail(conn, error);
    return false;
  }
  wt__conn_wake(conn);
  return true;
}

/* When ngtcp2 wants its next turn. After each packet it asks for one a few microseconds later, for the next packet by
 * its pacing and for an acknowledgement after an eighth of the round-trip time. When all is sent, neither is worth
 * waking up for: the next packet to come brings a turn, too, and saves the acknowledgement a packet of its own. */
static uint64_t conn_quic_expiry(const struct wt__conn *conn) {
  uint64_t expiry = wt__pacing_expiry(conn), soonest = 0;
  if (conn->settled && conn->handshake_done) {
    /* Counted from the deadline if that is over: runs that come one after the other must not push it on. */
    uint64_t now = conn->endpoint->now, wait = wt__ack_wait_until(conn);
    soonest = (expiry < now ? expiry : now) + SETTLED_INTERVAL;
    if (wait > soonest) soonest = wait;
  }
  if (conn->amplification_limited)
    soonest = conn->endpoint->now + BLOCKED_INTERVAL; /* else what cannot be sent would make a busy loop */
  return expiry < soonest ? soonest : expiry;
}

/* When its next turn is. Returns 0 or an error of ngtcp2. */
static int conn_schedule(struct wt__conn *conn, bool more) {
  struct wt__endpoint *endpoint = conn->endpoint;
  uint64_t expiry = conn_quic_expiry(conn);
  uint64_t h3_expiry = conn->h3 ? wt__h3_conn_expiry(conn->h3) : UINT64_MAX;
  uint64_t reset_expiry = wt__reset_at_recv_expiry(conn);
  uint64_t resend_expiry = wt__reset_at_send_expiry(conn);
  if (h3_expiry < expiry) expiry = h3_expiry;
  if (reset_expiry < expiry) expiry = reset_expiry;
  if (resend_expiry < expiry) expiry = resend_expiry;
  uint64_t cids_expiry = wt__conn_cids_expiry(conn);
  if (cids_expiry < expiry) expiry = cids_expiry;
  uint64_t path_expiry = wt__path_watch_expiry(conn);
  if (path_expiry < expiry) expiry = path_expiry;
  if (conn->release_at < expiry) expiry = conn->release_at;
  if (endpoint->batch.blocked) {
    wt__list_remove(&conn->queue);
    wt__list_push_back(&endpoint->waiting, &conn->queue);
    conn->waiting = true;
    /* Its deadlines hold, but those that are over because it cannot write must not make a busy loop. */
    if (expiry < endpoint->now + BLOCKED_INTERVAL) expiry = endpoint->now + BLOCKED_INTERVAL;
  } else if (more) {
    wt__conn_wake(conn);
  }
  if (expiry != UINT64_MAX) return wt__heap_set(&endpoint->timers, &conn->timer, expiry) ? NGTCP2_ERR_NOMEM : 0;
  wt__heap_remove(&endpoint->timers, &conn->timer);
  return 0;
}

void wt__conn_run(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  bool more = false;
  int error = wt__pacing_catch_up(conn);
  conn->settled = false;
  conn->pto = ngtcp2_conn_get_pto(conn->quic);
  if (conn->h3) wt__h3_conn_run(conn->h3, endpoint->now);
  if (conn->keep_alive) wt__conn_update_keep_alive(conn);
  wt__conn_extend_max_data(conn);
  wt__reset_at_recv_tell_finals(conn);
  if (!error && !conn->close_wanted)
    error = wt__reset_at_recv_inject(conn); /* of streams that were stopped meanwhile */
  if (!error && !conn->close_wanted && !endpoint->batch.blocked) {
    wt__list_remove(&conn->queue); /* woken by its own work: that is written now */
    wt__conn_set_current(conn);
    error = wt__conn_write(conn, &more);
    wt__conn_set_current(NULL);
    if (!error && conn->h3) wt__h3_conn_run(conn->h3, endpoint->now);
  }
  if (!error && conn->close_wanted) {
    wt__conn_close_now(conn);
    return;
  }
  if (!error) error = conn_schedule(conn, more);
  if (error) wt__conn_fail(conn, error);
}
