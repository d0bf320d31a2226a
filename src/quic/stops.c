/* SPDX-License-Identifier: MIT */

/*
 * The peer's STOP_SENDING frames (RFC 9000, section 19.5), with their codes.
 *
 * ngtcp2 answers one with RESET_STREAM and tells nobody. So callbacks.c finds the frames when it decrypts a packet,
 * and notes them here. h3 hears of them once ngtcp2 has accepted the whole datagram. A note may repeat, because
 * packets that come twice are decrypted twice; h3 takes repeated frames for what they are.
 */

#include "quic/stops.h"

#include <ngtcp2/ngtcp2.h>

#include "base/gauge.h"
#include "base/mem.h"
#include "h3/conn.h"
#include "quic/conn.h"

#define STOPS_MAX 512 /* STOP_SENDING frames of one UDP datagram that are looked at */

void wt__stops_add(struct wt__conn *conn, int64_t id, uint64_t code) {
  if (!conn->stops) {
    conn->stops = wt__malloc(STOPS_MAX * sizeof(*conn->stops));
    if (conn->stops) wt__gauge_add(&conn->gauge, STOPS_MAX * sizeof(*conn->stops));
  }
  if (!conn->stops || conn->stops_len == STOPS_MAX) return; /* writing to the stream will find it closed */
  conn->stops[conn->stops_len++] = (struct wt__stop){id, code};
}

void wt__stops_deliver(struct wt__conn *conn) {
  for (size_t i = 0; i < conn->stops_len && conn->h3; i++) {
    const struct wt__stop *stop = &conn->stops[i];
    /* h3 already knows about closed streams. Setting the user data, which we do not use, tells whether it is closed. */
    if (ngtcp2_conn_set_stream_user_data(conn->quic, stop->id, NULL)) continue;
    wt__h3_conn_recv_stop_sending(conn->h3, stop->id, stop->code);
  }
  conn->stops_len = 0;
}

void wt__stops_free(struct wt__conn *conn) {
  if (conn->stops) wt__gauge_remove(&conn->gauge, STOPS_MAX * sizeof(*conn->stops));
  wt__free(conn->stops);
  conn->stops = NULL;
}
