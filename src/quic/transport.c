/* SPDX-License-Identifier: MIT */

/*
 * What h3 may ask of a QUIC connection, in terms of ngtcp2.
 *
 * Every function does nothing (or says WT_ERR_CLOSED) once the connection is not open any more: the last
 * callbacks of an application run while it is taken apart. None of them calls back up, and none frees:
 * they are called from inside ngtcp2's callbacks, and between the pieces of a packet being written.
 */

#include "quic/transport.h"

#include "core/transport.h"
#include "quic/conn.h"
#include "quic/datagram_len.h"
#include "quic/endpoint_state.h"
#include "quic/idle.h"
#include "quic/info.h"
#include "quic/reset_at.h"
#include "quic/tls.h"
#include "quic/turn.h"
#include "quic/wake.h"
#include "quic/window.h"
#include "wire/error_code.h"

static struct wt__conn *conn_open(void *ctx) {
  struct wt__conn *conn = ctx;
  return conn->state == WT__CONN_OPEN && conn->quic ? conn : NULL;
}

static int transport_open_stream(void *ctx, bool uni, int64_t *id) {
  struct wt__conn *conn = conn_open(ctx);
  if (!conn || conn->close_wanted) return WT_ERR_CLOSED;
  int error =
      uni ? ngtcp2_conn_open_uni_stream(conn->quic, id, NULL) : ngtcp2_conn_open_bidi_stream(conn->quic, id, NULL);
  switch (error) {
    case 0:
      if (!uni && wt__reset_at_recv_opened(conn, *id))
        wt__conn_want_close(conn, WT_TRANSPORT, WT__H3_INTERNAL_ERROR, "out of memory");
      return 0;
    case NGTCP2_ERR_STREAM_ID_BLOCKED: return WT_ERR_STREAM_LIMIT;
    default: return WT_ERR_NOMEM;
  }
}

/* Errors mean that the stream is gone or has no such direction: nothing is left to do then. */
static void transport_reset_stream(void *ctx, int64_t id, uint64_t wire_code) {
  struct wt__conn *conn = conn_open(ctx);
  if (!conn) return;
  if (ngtcp2_conn_shutdown_stream_write(conn->quic, 0, id, wire_code) == NGTCP2_ERR_NOMEM)
    wt__conn_want_close(conn, WT_TRANSPORT, WT__H3_INTERNAL_ERROR, "out of memory");
  conn->ack_wait.urgent = true;
  wt__conn_wake(conn);
}

static bool transport_has_reset_at(void *ctx) {
  const struct wt__conn *conn = conn_open(ctx);
  return conn && wt__reset_at_send_possible(conn);
}

static void transport_reset_stream_at(void *ctx, int64_t id, uint64_t wire_code, uint64_t reliable_size,
                                      uint64_t final_size) {
  struct wt__conn *conn = conn_open(ctx);
  if (!conn) return;
  if (wt__reset_at_send_reset(conn, id, wire_code, reliable_size, final_size))
    wt__conn_want_close(conn, WT_TRANSPORT, WT__H3_INTERNAL_ERROR, "out of memory");
  wt__conn_wake(conn);
}

static void transport_stop_sending(void *ctx, int64_t id, uint64_t wire_code) {
  struct wt__conn *conn = conn_open(ctx);
  if (!conn) return;
  wt__reset_at_recv_stopped(conn, id);
  if (ngtcp2_conn_shutdown_stream_read(conn->quic, 0, id, wire_code) == NGTCP2_ERR_NOMEM)
    wt__conn_want_close(conn, WT_TRANSPORT, WT__H3_INTERNAL_ERROR, "out of memory");
  conn->ack_wait.urgent = true;
  wt__conn_wake(conn);
}

static void transport_consume(void *ctx, int64_t id, uint64_t len) {
  struct wt__conn *conn = conn_open(ctx);
  if (!conn || !len) return;
  if (ngtcp2_conn_extend_max_stream_offset(conn->quic, id, len) == NGTCP2_ERR_NOMEM)
    wt__conn_want_close(conn, WT_TRANSPORT, WT__H3_INTERNAL_ERROR, "out of memory");
  wt__ack_wait_credit(conn, len);
  wt__window_read(&conn->window, len); /* given back by the next turn */
  wt__conn_wake(conn);
}

static uint64_t transport_stream_room(void *ctx, int64_t id) {
  struct wt__conn *conn = conn_open(ctx);
  if (!conn) return 0;
  return id < 0 ? ngtcp2_conn_get_max_data_left(conn->quic) : ngtcp2_conn_get_max_stream_data_left(conn->quic, id);
}

static void transport_wake(void *ctx) { wt__conn_wake(ctx); }

static bool transport_has_time(void *ctx, bool light) {
  return wt__turn_has_time(&((struct wt__conn *)ctx)->endpoint->turn, light);
}

static size_t transport_max_datagram_len(void *ctx) {
  const struct wt__conn *conn = conn_open(ctx);
  return conn ? wt__conn_max_datagram_len(conn) : 0;
}

static void transport_close_connection(void *ctx, uint64_t wire_code, const char *reason) {
  struct wt__conn *conn = conn_open(ctx);
  if (conn) wt__conn_want_close(conn, WT_TRANSPORT, wire_code, reason ? reason : "");
}

static void transport_leave_connection(void *ctx, uint64_t wire_code, const char *reason) {
  struct wt__conn *conn = conn_open(ctx);
  if (conn) wt__conn_want_close(conn, WT_LOCAL, wire_code, reason);
}

static void transport_set_keep_alive(void *ctx, bool on) {
  struct wt__conn *conn = conn_open(ctx);
  if (!conn) return;
  conn->keep_alive = on;
  wt__conn_update_keep_alive(conn);
  wt__conn_wake(conn); /* its timer has changed */
}

static void transport_path_stats(void *ctx, struct wt__path_stats *stats) {
  struct wt__conn *conn = conn_open(ctx);
  *stats = (struct wt__path_stats){0};
  if (!conn) return;
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info(conn->quic, &info);
  stats->smoothed_rtt_us = info.smoothed_rtt / NGTCP2_MICROSECONDS;
  stats->rtt_variation_us = info.rttvar / NGTCP2_MICROSECONDS;
  stats->min_rtt_us = info.min_rtt == UINT64_MAX ? 0 : info.min_rtt / NGTCP2_MICROSECONDS;
  stats->probe_timeout_us = ngtcp2_conn_get_pto(conn->quic) / NGTCP2_MICROSECONDS;
  stats->congestion_window = info.cwnd;
  stats->bytes_in_flight = info.bytes_in_flight;
  stats->packets_sent = conn->packets_sent;
  stats->packets_received = conn->packets_received;
  stats->bytes_sent = conn->bytes_sent;
  stats->bytes_received = conn->bytes_received;
}

static struct wt__gauge *transport_gauge(void *ctx) { return &((struct wt__conn *)ctx)->gauge; }

static struct wt__qlog *transport_qlog(void *ctx) { return ((struct wt__conn *)ctx)->qlog; }

static const char *transport_name(void *ctx) { return ((struct wt__conn *)ctx)->name; }

static int transport_peer_certificate(void *ctx, size_t index, struct wt__vec *der) {
  const struct wt__conn *conn = conn_open(ctx);
  return conn ? wt__tls_peer_certificate(conn->tls, index, der) : WT_ERR_CLOSED;
}

static int transport_export_keys(void *ctx, const char *label, const void *context, size_t context_len, void *out,
                                 size_t out_len) {
  struct wt__conn *conn = conn_open(ctx);
  return conn ? wt__tls_export(conn->tls, label, context, context_len, out, out_len) : WT_ERR_CLOSED;
}

const struct wt_transport wt__quic_transport = {
    .open_stream = transport_open_stream,
    .reset_stream = transport_reset_stream,
    .has_reset_at = transport_has_reset_at,
    .reset_stream_at = transport_reset_stream_at,
    .stop_sending = transport_stop_sending,
    .consume = transport_consume,
    .stream_room = transport_stream_room,
    .wake = transport_wake,
    .has_time = transport_has_time,
    .max_datagram_len = transport_max_datagram_len,
    .close_connection = transport_close_connection,
    .leave_connection = transport_leave_connection,
    .set_keep_alive = transport_set_keep_alive,
    .path_stats = transport_path_stats,
    .gauge = transport_gauge,
    .qlog = transport_qlog,
    .name = transport_name,
    .get_info = wt__conn_get_info,
    .peer_certificate = transport_peer_certificate,
    .export_keys = transport_export_keys,
};
