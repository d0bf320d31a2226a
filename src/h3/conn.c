/* SPDX-License-Identifier: MIT */
/*
 * The life of an HTTP/3 connection: birth, start, passes, shutdown, end; and the transport that core gets.
 *
 * demux.c handles arrivals and send.c handles sending. The rest is here: work that was put off (`wt__h3_conn_run`),
 * deadlines, and the end. Applications are called from two places only: from inside arrivals (bytes of a body or a stream,
 * while they are in the packet) and from `wt__h3_conn_run` (everything else). A call by the application only sets marks, and
 * the next run acts on them. So nothing is freed while the application uses it.
 */

#include "h3/conn.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "h3/client_conn_state.h"
#include "h3/conn_state.h"
#include "h3/connect.h"
#include "h3/control_reader.h"
#include "h3/http.h"
#include "h3/section.h"
#include "h3/settings.h"
#include "h3/side.h"
#include "h3/stalls.h"
#include "h3/streams.h"
#include "wire/error_code.h"

/* Messages that are too large or malformed: more of them close the connection. */
#define BAD_SECTIONS_AT_ONCE 100
#define BAD_SECTIONS_A_SECOND 10

#define CONNECT_OF(l, member) WT__CONTAINER_OF(l, struct wt__h3_connect, member)

/* --- The transport for core --- */

static int core_open_stream(void *ctx, bool uni, int64_t *id) {
  struct wt__h3_conn *conn = ctx;
  if (conn->closing) return WT_ERR_CLOSED;
  int error = conn->transport->open_stream(conn->ctx, uni, id);
  if (error) return error;
  if (wt__streams_add(conn, *id, WT__H3_WEBTRANSPORT)) return 0;
  wt__h3_reset_stream(conn, *id, WT__H3_INTERNAL_ERROR);
  if (!uni) wt__h3_stop_sending(conn, *id, WT__H3_INTERNAL_ERROR);
  return WT_ERR_NOMEM;
}

static void core_reset_stream(void *ctx, int64_t id, uint64_t wire_code) { wt__h3_reset_stream(ctx, id, wire_code); }

static bool core_has_reset_at(void *ctx) { return wt__h3_peer_has_reset_at(ctx); }

static void core_reset_stream_at(void *ctx, int64_t id, uint64_t wire_code, uint64_t reliable_size,
                                 uint64_t final_size) {
  struct wt__h3_conn *conn = ctx;
  if (!conn->closing) conn->transport->reset_stream_at(conn->ctx, id, wire_code, reliable_size, final_size);
}

static void core_stop_sending(void *ctx, int64_t id, uint64_t wire_code) { wt__h3_stop_sending(ctx, id, wire_code); }

static void core_consume(void *ctx, int64_t id, uint64_t len) {
  struct wt__h3_conn *conn = ctx;
  conn->transport->consume(conn->ctx, id, len);
}

static void core_wake(void *ctx) { wt__h3_wake(ctx); }

static bool core_has_time(void *ctx, bool light) {
  const struct wt__h3_conn *conn = ctx;
  if (conn->closing) return false; /* nobody is told anything but ends */
  return !conn->transport->has_time || conn->transport->has_time(conn->ctx, light);
}

static size_t core_max_datagram_len(void *ctx) {
  struct wt__h3_conn *conn = ctx;
  return conn->transport->max_datagram_len(conn->ctx);
}

static void core_close_connection(void *ctx, uint64_t wire_code, const char *reason) {
  wt__h3_fail(ctx, wire_code, reason);
}

static void core_leave_connection(void *ctx, uint64_t wire_code, const char *reason) {
  wt__h3_leave(ctx, wire_code, reason);
}

static void core_set_keep_alive(void *ctx, bool on) {
  struct wt__h3_conn *conn = ctx;
  conn->transport->set_keep_alive(conn->ctx, on);
}

static void core_path_stats(void *ctx, struct wt__path_stats *stats) {
  struct wt__h3_conn *conn = ctx;
  conn->transport->path_stats(conn->ctx, stats);
}

static struct wt__gauge *core_gauge(void *ctx) {
  const struct wt__h3_conn *conn = ctx;
  return conn->transport->gauge ? conn->transport->gauge(conn->ctx) : NULL;
}

static struct wt__qlog *core_qlog(void *ctx) {
  const struct wt__h3_conn *conn = ctx;
  return conn->transport->qlog ? conn->transport->qlog(conn->ctx) : NULL;
}

static const char *core_name(void *ctx) { return wt__h3_name(ctx); }

static const char *core_peer_address(void *ctx) { return ((const struct wt__h3_conn *)ctx)->peer_address; }

static void core_get_info(void *ctx, struct wt_connection_info *info) { wt__h3_conn_get_info(ctx, info); }

static int core_peer_certificate(void *ctx, size_t index, struct wt__vec *der) {
  return wt__h3_conn_peer_certificate(ctx, index, der);
}

static int core_export_keys(void *ctx, const char *label, const void *context, size_t context_len, void *out,
                            size_t out_len) {
  struct wt__h3_conn *conn = ctx;
  if (conn->closing || !conn->transport->export_keys) return WT_ERR_CLOSED;
  return conn->transport->export_keys(conn->ctx, label, context, context_len, out, out_len);
}

static void core_connect_wake(void *ctx, int64_t id) { wt__http_resume(ctx, id); }

static void core_connect_reset(void *ctx, int64_t id, uint64_t wire_code) {
  struct wt__h3_connect *connect = wt__connect_find(ctx, id);
  if (connect) wt__connect_reset(connect, wire_code);
}

static void core_session_closed(void *ctx, int64_t id) {
  struct wt__h3_connect *connect = wt__connect_find(ctx, id);
  if (connect) wt__connect_free(connect);
}

static const struct wt_transport transport_for_core = {
    .open_stream = core_open_stream,
    .reset_stream = core_reset_stream,
    .has_reset_at = core_has_reset_at,
    .reset_stream_at = core_reset_stream_at,
    .stop_sending = core_stop_sending,
    .consume = core_consume,
    .wake = core_wake,
    .has_time = core_has_time,
    .max_datagram_len = core_max_datagram_len,
    .close_connection = core_close_connection,
    .leave_connection = core_leave_connection,
    .set_keep_alive = core_set_keep_alive,
    .path_stats = core_path_stats,
    .gauge = core_gauge,
    .qlog = core_qlog,
    .name = core_name,
    .peer_address = core_peer_address,
    .get_info = core_get_info,
    .peer_certificate = core_peer_certificate,
    .export_keys = core_export_keys,
    .connect_wake = core_connect_wake,
    .connect_reset = core_connect_reset,
    .session_closed = core_session_closed,
};

/* --- Birth and end --- */

static void conn_init_session_rate(struct wt__h3_conn *conn) {
  uint64_t rate = conn->config->max_session_rate, sessions = conn->config->max_sessions_per_connection;
  wt__rate_init(&conn->session_rate, rate, rate > sessions ? rate : sessions, conn->now);
}

int wt__h3_conn_init(struct wt__h3_conn **out, const struct wt__h3_config *config, const struct wt__side *side,
                     struct wt__h3_client *client, const struct wt_transport *transport, void *ctx,
                     const char *peer_address, uint64_t now) {
  struct wt__h3_conn *conn = wt__calloc(1, sizeof(*conn));
  if (!conn) return WT_ERR_NOMEM;
  conn->config = config;
  conn->side = side;
  conn->client = client;
  conn->transport = transport;
  conn->ctx = ctx;
  conn->now = conn->idle_since = conn->born_at = now;
  conn->idle = true;
  conn->lone_fin_id = conn->peer_control_id = conn->peer_encoder_id = conn->highest_id = conn->diverted_id = -1;
  conn->control.id = conn->control.encoder_id = conn->control.decoder_id = -1;
  conn->max_remote_bidi = config->max_streams_bidi;
  conn_init_session_rate(conn);
  wt__map_init(&conn->streams);
  wt__list_init(&conn->blocked_sections);
  wt__rate_init(&conn->bad_section_rate, BAD_SECTIONS_A_SECOND, BAD_SECTIONS_AT_ONCE, now);
  wt__list_init(&conn->requests);
  wt__list_init(&conn->due_requests);
  wt__list_init(&conn->waiting_requests);
  wt__stalls_init(conn);
  wt__list_init(&conn->blocked_files);
  wt__list_init(&conn->open_files);
  wt__list_init(&conn->connects);
  wt__list_init(&conn->due_connects);
  wt__mux_init(&conn->mux, &config->mux, &transport_for_core, conn);
  conn->peer_address = wt__strdup(peer_address);
  if (!conn->peer_address || wt__http_new(conn) != 0) {
    wt__free(conn->peer_address);
    wt__free(conn);
    return WT_ERR_NOMEM;
  }
  wt__sections_init(&conn->sections, &conn->http_mem);
  wt__gauge_add(conn->mux.gauge, sizeof(*conn));
  *out = conn;
  return 0;
}

void wt__h3_conn_free(struct wt__h3_conn *conn, const struct wt__ending *why) {
  struct wt__ending ending = *why;
  struct wt__link *first;
  if (!conn) return;
  conn->closing = true;
  if (conn->left) ending.cause = WT_CAUSE_LOCAL;
  conn->side->over(conn, &ending);
  wt__mux_free(&conn->mux, &ending);
  conn->mux.sessions_open = 0;
  wt__h3_count_sessions(conn);
  while ((first = wt__list_first(&conn->connects))) wt__connect_free(CONNECT_OF(first, link));
  conn->side->over_behind_sessions(conn);
  nghttp3_conn_del(conn->http);
  wt__released_run(&conn->released);
  wt__streams_free(conn);
  wt__sections_free(&conn->sections);
  conn->side->over_at_last(conn);
  wt__control_reader_free(&conn->control_reader);
  wt__free(conn->control.settings);
  wt__free(conn->peer_settings);
  wt__free(conn->peer_address);
  wt__gauge_remove(conn->mux.gauge, sizeof(*conn));
  wt__free(conn);
}

void wt__h3_conn_start(struct wt__h3_conn *conn, uint64_t max_datagram_frame_size) {
  if (conn->closing || conn->started) return;
  conn->peer_max_datagram = max_datagram_frame_size;
  int error = wt__control_start(conn);
  if (error == WT_ERR_STREAM_LIMIT) {
    wt__h3_fail(conn, WT__H3_GENERAL_PROTOCOL_ERROR, "the peer allows fewer than three unidirectional streams");
  } else if (error) {
    wt__h3_fail(conn, WT__H3_INTERNAL_ERROR, wt_error_string(error));
  }
  conn->started = true;
  wt__h3_wake(conn);
}

/* --- Passes --- */

static void conn_run_connects(struct wt__h3_conn *conn) {
  struct wt__link *first;
  while ((first = wt__list_first(&conn->due_connects))) {
    wt__list_remove(first);
    wt__connect_run(CONNECT_OF(first, due));
    if (!wt__list_empty(&conn->due_connects) && !wt__h3_has_time(conn)) break;
  }
}

static bool conn_has_due(const struct wt__h3_conn *conn) {
  return !wt__list_empty(&conn->due_connects) || wt__mux_has_todo(&conn->mux);
}

static uint64_t idle_deadline(const struct wt__h3_conn *conn) {
  if (!conn->idle || conn->config->no_request_timeout_ms == 0) return UINT64_MAX;
  return conn->idle_since + conn->config->no_request_timeout_ms * WT__NS_PER_MS;
}

static void conn_run_idle(struct wt__h3_conn *conn) {
  bool idle = conn->requests_open == 0 && conn->mux.sessions_open == 0;
  if (idle && !conn->idle) conn->idle_since = conn->now;
  conn->idle = idle;
  if (idle_deadline(conn) <= conn->now) wt__h3_fail(conn, WT__H3_NO_ERROR, "no request and no session");
}

static void conn_run_started(struct wt__h3_conn *conn, uint64_t now) {
  if (!conn->closing) conn_run_connects(conn);
  if (!conn->closing) wt__mux_run(&conn->mux, now);
  wt__released_run(&conn->released);
  wt__h3_count_sessions(conn);
  if (conn_has_due(conn)) wt__h3_wake(conn);
  conn_run_idle(conn);
}

void wt__h3_conn_run(struct wt__h3_conn *conn, uint64_t now) {
  conn->now = now;
  if (!conn->closing) conn->side->run(conn);
  if (!conn->closing && conn->started) conn_run_started(conn, now);
  conn->side->run_end(conn);
}

uint64_t wt__h3_conn_expiry(const struct wt__h3_conn *conn) {
  uint64_t expiry, idle = idle_deadline(conn), mux;
  if (conn->closing) return UINT64_MAX;
  expiry = conn->side->expiry(conn);
  if (!conn->started) return expiry;
  if (conn_has_due(conn)) return 0;
  mux = wt__mux_expiry(&conn->mux);
  if (mux < expiry) expiry = mux;
  return idle < expiry ? idle : expiry;
}

/* --- The orderly end --- */

void wt__h3_conn_shutdown(struct wt__h3_conn *conn) {
  if (conn->closing || !conn->started || conn->shutting_down) return;
  conn->shutting_down = true;
  conn->side->shutdown(conn);
  if (conn->closing) return;
  int error = nghttp3_conn_shutdown(wt__h3_http(conn));
  if (error) wt__h3_fail_http(conn, error);
  wt__mux_drain(&conn->mux);
  wt__h3_wake(conn);
}

void wt__h3_conn_close_sessions(struct wt__h3_conn *conn, const char *reason) {
  if (conn->closing || !conn->started) return;
  wt__mux_close_sessions(&conn->mux, reason);
  wt__h3_wake(conn);
}

bool wt__h3_conn_is_idle(const struct wt__h3_conn *conn) {
  if (conn->closing) return true;
  if (wt__h3_is_used(conn)) return false;
  /* The close capsule of a session that ended has to reach the peer. */
  WT__LIST_FOREACH(it, next, &conn->connects) {
    const struct wt__h3_connect *connect = CONNECT_OF(it, link);
    if (!connect->ended && !(connect->fin_sent && connect->stream->acked >= connect->sent)) return false;
  }
  return true;
}
