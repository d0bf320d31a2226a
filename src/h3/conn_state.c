/* SPDX-License-Identifier: MIT */
/*
 * What the files of h3 ask about a connection, and what they tell QUIC through it: close it, reset a stream, run it again.
 *
 * After an error of the connection `closing` is set and nothing is passed on any more: nghttp3 must not be called again
 * after it failed, except to be freed. QUIC then ends the connection and frees it.
 */

#include "h3/conn_state.h"

#include "h3/conn.h"
#include "h3/fields.h"
#include "h3/side.h"
#include "wire/error_code.h"

void wt__h3_fail(struct wt__h3_conn *conn, uint64_t wire_code, const char *reason) {
  if (conn->closing) return;
  conn->closing = true;
  WT__DEBUG(conn->config->log,
            WT__EVENT_OF("connection_closed", WT__H3_CONNECTION(conn), WT__INTEGER("code", wire_code),
                         WT__TEXT("code_name", wt__wire_error_name(wire_code)), WT__TEXT("reason", reason)),
            "connection from %s: closed with 0x%llx: %s", conn->peer_address, (unsigned long long)wire_code, reason);
  conn->transport->close_connection(conn->ctx, wire_code, reason);
}

void wt__h3_leave(struct wt__h3_conn *conn, uint64_t wire_code, const char *reason) {
  if (conn->closing) return;
  conn->closing = conn->left = true;
  conn->transport->leave_connection(conn->ctx, wire_code, reason);
}

void wt__h3_fail_http(struct wt__h3_conn *conn, int error) {
  uint64_t wire_code = nghttp3_err_infer_quic_app_error_code(error);
  /* A field name or value past nghttp3's own bounds: the peer's doing, not a fault of ours. */
  if (error == NGHTTP3_ERR_QPACK_HEADER_TOO_LARGE) wire_code = WT__H3_EXCESSIVE_LOAD;
  wt__h3_fail(conn, wire_code, nghttp3_strerror(error));
}

void wt__h3_wake(struct wt__h3_conn *conn) {
  if (!conn->closing) conn->transport->wake(conn->ctx);
}

const char *wt__h3_name(const struct wt__h3_conn *conn) {
  return conn->transport->name ? conn->transport->name(conn->ctx) : NULL;
}

struct wt__log_limit *wt__h3_log_limit(const struct wt__h3_conn *conn) {
  struct wt__gauge_sum *sum = wt__gauge_sum_of(conn->mux.gauge);
  return sum ? &sum->lines : NULL;
}

uint64_t wt__h3_stream_room(const struct wt__h3_conn *conn, int64_t id) {
  return conn->transport->stream_room ? conn->transport->stream_room(conn->ctx, id) : UINT64_MAX;
}

void wt__h3_stop_sending(struct wt__h3_conn *conn, int64_t id, uint64_t wire_code) {
  if (!conn->closing) conn->transport->stop_sending(conn->ctx, id, wire_code);
}

void wt__h3_reset_stream(struct wt__h3_conn *conn, int64_t id, uint64_t wire_code) {
  if (!conn->closing) conn->transport->reset_stream(conn->ctx, id, wire_code);
}

void wt__h3_count_sessions(struct wt__h3_conn *conn) {
  struct wt__h3_counters *counters = conn->config->counters;
  if (counters) counters->sessions_open += conn->mux.sessions_open - conn->sessions_counted;
  conn->sessions_counted = conn->mux.sessions_open;
}

bool wt__h3_peer_takes(const struct wt__h3_conn *conn, const nghttp3_nv *nv, size_t count) {
  return !conn->has_settings || wt__fields_nv_cost(nv, count) <= conn->peer.max_field_section_size;
}

bool wt__h3_peer_has_reset_at(const struct wt__h3_conn *conn) {
  return !conn->closing && conn->transport->has_reset_at && conn->transport->has_reset_at(conn->ctx);
}

bool wt__h3_reset_at_suffices(const struct wt__h3_conn *conn) {
  return !conn->config->require_reset_at || wt__h3_peer_has_reset_at(conn);
}

bool wt__h3_has_time(const struct wt__h3_conn *conn) {
  if (conn->closing) return false; /* nobody is told anything but ends */
  return !conn->transport->has_time || conn->transport->has_time(conn->ctx, false);
}

bool wt__h3_is_used(const struct wt__h3_conn *conn) { return conn->side->is_used(conn) || conn->mux.sessions_open > 0; }
