/* SPDX-License-Identifier: MIT */

/*
 * ngtcp2 has a pacing timer. After each pass that sent packets, it asks for a turn when the next one may leave, some
 * microseconds later. If there is nothing left to send, that turn does nothing: each message of a quiet connection would
 * cost a timer and a wake-up.
 *
 * So no timer is set then, and ngtcp2 gets its turn later, before the next packet is read or written, with an earlier time
 * than the present one. The difference between that time and the one at which ngtcp2 wanted its turn is what it takes for
 * credit (`compensation` in ngtcp2 1.11): so much it sends without pacing. An hour of silence would be an hour of credit.
 * Here it gets as much as an initial window is worth, the burst that RFC 9002 allows, and no more before it has used
 * that up: while it has credit for a packet, it allows the next one at once.
 *
 * ngtcp2 tells the earliest of its timers only. So it is asked before and after pacing is brought up to date.
 */

#include "quic/pacing.h"

#include "quic/conn.h"
#include "quic/endpoint_state.h"

#define INITIAL_WINDOW (10 * 1200) /* bytes; RFC 9002, section 7.2 */

/* How long an initial window takes. */
static uint64_t burst(const struct wt__conn *conn) {
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info(conn->quic, &info);
  return info.cwnd > INITIAL_WINDOW ? info.smoothed_rtt * INITIAL_WINDOW / info.cwnd : info.smoothed_rtt;
}

void wt__pacing_sent(struct wt__conn *conn, bool settled) {
  struct wt__pacing *pacing = &conn->pacing;
  if (!settled) {
    ngtcp2_conn_update_pkt_tx_time(conn->quic, conn->endpoint->now);
    pacing->allowed_at = 0;
    return;
  }
  pacing->sent_at = conn->endpoint->now;
  pacing->expiry = ngtcp2_conn_get_expiry(conn->quic);
  ngtcp2_conn_update_pkt_tx_time(conn->quic, conn->endpoint->now);
  uint64_t expiry = ngtcp2_conn_get_expiry(conn->quic);
  pacing->allowed_at = expiry < pacing->expiry ? expiry : 0;
}

int wt__pacing_catch_up(struct wt__conn *conn) {
  struct wt__pacing *pacing = &conn->pacing;
  uint64_t at = pacing->allowed_at, now = conn->endpoint->now;
  pacing->allowed_at = 0;
  if (!at || at >= now) return 0;
  if (at > pacing->sent_at) at += burst(conn);
  return ngtcp2_conn_handle_expiry(conn->quic, at < now ? at : now);
}

uint64_t wt__pacing_expiry(const struct wt__conn *conn) {
  return conn->settled && conn->pacing.allowed_at ? conn->pacing.expiry : ngtcp2_conn_get_expiry(conn->quic);
}
