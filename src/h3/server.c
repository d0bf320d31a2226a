/* SPDX-License-Identifier: MIT */
/*
 * The server's side of an HTTP/3 connection: it gets requests, and runs them in each pass. The life of a request is in
 * request_run.c.
 */

#include "base/mem.h"
#include "h3/answer.h"
#include "h3/conn.h"
#include "h3/conn_state.h"
#include "h3/demux.h"
#include "h3/request.h"
#include "h3/role.h"
#include "h3/side.h"
#include "h3/stalls.h"
#include "h3/streams.h"
#include "wire/error_code.h"

#define REQUEST_OF(l, member) WT__CONTAINER_OF(l, struct wt_request, member)

static const struct wt__side server_side;

int wt__h3_conn_new(struct wt__h3_conn **out, const struct wt__h3_config *config, const struct wt_transport *transport,
                    void *ctx, const char *peer_address, uint64_t now) {
  return wt__h3_conn_init(out, config, &server_side, NULL, transport, ctx, peer_address, now);
}

static int server_http_new(struct wt__h3_conn *conn, const nghttp3_callbacks *callbacks, nghttp3_settings *settings) {
  settings->enable_connect_protocol = 1;
  int error = nghttp3_conn_server_new(&conn->http, callbacks, settings, &conn->http_mem, conn);
  if (!error) nghttp3_conn_set_max_client_streams_bidi(wt__h3_http(conn), conn->max_remote_bidi);
  return error;
}

/* --- Arrivals --- */

static void server_recv_request(struct wt__h3_conn *conn, struct wt__h3_stream *stream) {
  if (!wt__request_new(conn, stream)) {
    wt__h3_fail(conn, WT__H3_INTERNAL_ERROR, "out of memory");
  } else if (stream->stop_seen) {
    stream->role->recv_stop_sending(stream, stream->stop_code);
  }
}

/* It might have asked for a session, for which streams have come already. */
static void server_recv_nothing(struct wt__h3_conn *conn, int64_t id) { wt__mux_session_refused(&conn->mux, id); }

/* Requests that waited go on. */
static void server_settings_in(struct wt__h3_conn *conn) {
  struct wt__link *first;
  while ((first = wt__list_first(&conn->waiting_requests))) {
    wt__list_remove(first);
    wt__request_set_due(REQUEST_OF(first, waiting));
  }
}

/* A client's GOAWAY names a push, and our server makes none. */
static void server_recv_goaway(struct wt__h3_conn *conn, int64_t id) { (void)conn, (void)id; }
static void server_streams_allowed(struct wt__h3_conn *conn) { (void)conn; }

static void server_max_remote_bidi(struct wt__h3_conn *conn, uint64_t max) {
  if (max <= conn->max_remote_bidi) return; /* nghttp3 takes no smaller one */
  conn->max_remote_bidi = max;
  nghttp3_conn_set_max_client_streams_bidi(wt__h3_http(conn), max);
}

/* --- Passes --- */

static void list_move(struct wt__list *from, struct wt__list *to) {
  struct wt__link *first;
  while ((first = wt__list_first(from))) {
    wt__list_remove(first);
    wt__list_push_back(to, first);
  }
}

/* Works off what is listed now, while there is time. What the work adds is left for the next pass, so that an
 * application that keeps itself busy cannot keep the connection from sending. */
static void server_run_requests(struct wt__h3_conn *conn) {
  struct wt__list now;
  struct wt__link *first;
  wt__list_init(&now);
  list_move(&conn->due_requests, &now);
  while ((first = wt__list_first(&now))) {
    wt__list_remove(first);
    wt__request_run(REQUEST_OF(first, due));
    if (!wt__list_empty(&now) && !wt__h3_has_time(conn)) break;
  }
  if (!wt__list_empty(&now)) {
    list_move(&conn->due_requests, &now); /* behind those that are left */
    list_move(&now, &conn->due_requests);
  }
  if (!wt__list_empty(&conn->due_requests)) wt__h3_wake(conn);
}

static void server_run_waiting(struct wt__h3_conn *conn) {
  struct wt__link *first;
  while ((first = wt__list_first(&conn->waiting_requests)) &&
         REQUEST_OF(first, waiting)->settings_deadline <= conn->now) {
    wt_request *request = REQUEST_OF(first, waiting);
    wt__list_remove(first);
    request->gave_up_settings = true;
    wt__request_set_due(request);
  }
}

static void server_run(struct wt__h3_conn *conn) {
  if (!conn->started) return;
  if (!wt__list_empty(&conn->blocked_files)) wt__answers_resume_files(conn);
  server_run_waiting(conn);
  server_run_requests(conn);
  if (wt__stalls_expiry(conn) <= conn->now) wt__stalls_run(conn);
}

static void server_run_end(struct wt__h3_conn *conn) { (void)conn; }

static uint64_t server_expiry(const struct wt__h3_conn *conn) {
  const struct wt__link *first = wt__list_first(&conn->waiting_requests);
  uint64_t expiry = wt__stalls_expiry(conn);
  if (!conn->started) return UINT64_MAX;
  if (!wt__list_empty(&conn->due_requests)) return 0;
  if (first && REQUEST_OF(first, waiting)->settings_deadline < expiry)
    expiry = REQUEST_OF(first, waiting)->settings_deadline;
  return expiry;
}

static bool server_is_used(const struct wt__h3_conn *conn) { return !wt__list_empty(&conn->requests); }

/* --- The end --- */

static void server_over(struct wt__h3_conn *conn, struct wt__ending *ending) { (void)conn, (void)ending; }

/* First all get their `on_close`: the callback of one request may look at another. */
static void server_over_behind_sessions(struct wt__h3_conn *conn) {
  struct wt__link *first;
  WT__LIST_FOREACH(it, next, &conn->requests) { wt__request_end(REQUEST_OF(it, link)); }
  while ((first = wt__list_first(&conn->requests))) wt__request_free(REQUEST_OF(first, link));
}

static void server_over_at_last(struct wt__h3_conn *conn) { (void)conn; }

static const struct wt__side server_side = {
    .takes_priority_updates = true,
    .opens = 1,
    .http_new = server_http_new,
    .recv_request = server_recv_request,
    .recv_nothing = server_recv_nothing,
    .settings_in = server_settings_in,
    .recv_goaway = server_recv_goaway,
    .streams_allowed = server_streams_allowed,
    .max_remote_bidi = server_max_remote_bidi,
    .run = server_run,
    .run_end = server_run_end,
    .expiry = server_expiry,
    .is_used = server_is_used,
    .shutdown = wt__demux_tell_diverted,
    .over = server_over,
    .over_behind_sessions = server_over_behind_sessions,
    .over_at_last = server_over_at_last,
};
