/* SPDX-License-Identifier: MIT */
/*
 * The life of a request, from its header section to `on_close`.
 *
 *    fields arrive --> header complete --> [wait for SETTINGS] --> handler --> answer --> acknowledged
 *         |                                (WebTransport only)        |           |           |
 *         | too large: 431                                            |           |        on_close(0)
 *         v                                                           v           v
 *    aborted: the client reset it, or we gave it up ------------------------------> on_close(WT_ERR_CLOSED)
 *
 * A WebTransport request waits because only the SETTINGS tell which draft the client speaks. A CONNECT does overtake the
 * control stream when packets are lost. While the server's memory is full, the library answers with 503 and the handler is
 * not called.
 *
 * Arrivals only set marks. `wt__request_run` alone calls the handler, makes all callbacks but one, and frees requests.
 * `on_body` may also be called directly from an arrival, if nothing is in its way: that saves a copy of every body.
 *
 * Bytes of a body that cannot be delivered yet are kept and not counted as read, so that the stream's window bounds them.
 * The body of a WebTransport request is capsules: it waits for the session.
 */

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "h3/answer.h"
#include "h3/body.h"
#include "h3/conn_state.h"
#include "h3/fields.h"
#include "h3/http.h"
#include "h3/interim.h"
#include "h3/request.h"
#include "h3/request_check.h"
#include "h3/role.h"
#include "h3/routes.h"
#include "h3/settings.h"
#include "h3/stalls.h"
#include "h3/streams.h"
#include "wire/error_code.h"

static const struct wt__role role_request;

/* --- Birth --- */

static void request_tell_body(void *message, const uint8_t *data, size_t len, bool fin) {
  wt_request *request = message;
  if (request->callbacks.on_body) request->callbacks.on_body(request, data, len, fin, request->user_data);
}

wt_request *wt__request_new(struct wt__h3_conn *conn, struct wt__h3_stream *stream) {
  wt_request *request = wt__calloc(1, sizeof(*request));
  if (!request) return NULL;
  request->conn = conn;
  request->stream = stream;
  request->id = stream->id;
  request->method = request->target = request->path = request->query = "";
  request->authority = request->protocol = request->error = "";
  wt__link_init(&request->due);
  wt__link_init(&request->waiting);
  wt__link_init(&request->blocked);
  wt__progress_init(&request->answer_progress);
  wt__progress_init(&request->body_progress);
  wt__fields_init(&request->fields, conn->config->max_header_bytes);
  wt__body_in_init(&request->in, (size_t)conn->config->max_stream_data, request_tell_body, request);
  request->in.conn = conn;
  request->in.id = stream->id;
  request->in.kept.gauge = request->fields.gauge = conn->mux.gauge;
  wt__role_set(stream, &role_request, request);
  wt__sendq_init(&request->out.queue, conn->config->mux.max_stream_send_buffer);
  request->out.queue.gauge = conn->mux.gauge;
  wt__gauge_add(conn->mux.gauge, sizeof(*request));
  wt__list_push_back(&conn->requests, &request->link);
  return request;
}

/* --- The header section --- */

static const char *request_field(const wt_request *request, const char *name) {
  const char *value = wt__fields_find(&request->fields, name, NULL);
  return value ? value : "";
}

/* The path is cut at its '?' in a copy: the block of fields is walked from NUL to NUL. */
static bool request_read_path(wt_request *request) {
  char *path = wt__fields_find(&request->fields, ":path", NULL), *mark;
  if (!path) return true; /* CONNECT without a protocol has none */
  request->target = path;
  path = wt__strdup(path);
  if (!path) return false;
  wt__gauge_add(request->conn->mux.gauge, wt__mem_size(path));
  request->path = request->path_copy = path;
  mark = strchr(path, '?');
  if (!mark) return true;
  *mark = '\0';
  request->query = mark + 1;
  return true;
}

static bool request_read_fields(wt_request *request) {
  request->method = request_field(request, ":method");
  request->authority = request_field(request, ":authority");
  if (request->authority[0] == '\0') request->authority = request_field(request, "host"); /* the same, if it is there */
  request->protocol = request_field(request, ":protocol");
  request->origin = wt__fields_find(&request->fields, "origin", NULL);
  request->is_head = strcmp(request->method, "HEAD") == 0;
  request->is_webtransport =
      strcmp(request->method, "CONNECT") == 0 &&
      (strcmp(request->protocol, "webtransport") == 0 || strcmp(request->protocol, "webtransport-h3") == 0);
  if (strcmp(request->method, "CONNECT") != 0)
    request->expect = wt__expect_read(wt__fields_value(&request->fields, "expect"));
  return request_read_path(request);
}

/* Whether the header section was given up. */
static bool request_is_unreadable(const wt_request *request) {
  return request->fault == WT__REQUEST_TOO_LARGE || request->fault == WT__REQUEST_NO_MEMORY;
}

static struct wt__fields *request_fields(struct wt__h3_stream *stream) {
  wt_request *request = stream->owner;
  bool wanted = request->stage == WT__REQUEST_READING && request->ended == WT__REQUEST_OPEN;
  return wanted && !request_is_unreadable(request) ? &request->fields : NULL;
}

static void request_unreadable(struct wt__h3_stream *stream, int error) {
  wt_request *request = stream->owner;
  if (request->stage != WT__REQUEST_READING) { /* trailers: the answer may have begun */
    wt__request_abort(request, error == WT_ERR_TOO_LARGE ? WT__H3_EXCESSIVE_LOAD : WT__H3_INTERNAL_ERROR);
    return;
  }
  request->fault = error == WT_ERR_TOO_LARGE ? WT__REQUEST_TOO_LARGE : WT__REQUEST_NO_MEMORY;
  wt__fields_free(&request->fields);
  wt__request_set_due(request);
}

static void request_headers_done(struct wt__h3_stream *stream) {
  wt_request *request = stream->owner;
  struct wt__h3_conn *conn = request->conn;
  if (request->stage != WT__REQUEST_READING || request->ended != WT__REQUEST_OPEN) return;
  request->stage = WT__REQUEST_WHOLE;
  conn->requests_open++;
  if (!request_is_unreadable(request)) {
    request->fault = wt__request_check(&request->fields, &request->error);
    if (wt__fields_join(&request->fields) != 0 || !request_read_fields(request)) request->fault = WT__REQUEST_NO_MEMORY;
  }
  request->came_at = conn->now;
  request->settings_deadline = conn->now + conn->config->settings_timeout_ms * WT__NS_PER_MS;
  wt__request_set_due(request);
}

/* A session too many, where the draft asks for a reset: not for the application to decide. Drafts 07 to 14 ask for it
 * beyond what the server serves, later ones beyond the first without session flow control (draft section 5.1). Draft 02
 * has no such rule, and with session flow control the limit is our own: `wt_upgrade` fails then. */
static bool request_is_excessive(const wt_request *request) {
  const struct wt__h3_conn *conn = request->conn;
  size_t open = conn->mux.sessions_open, max;
  int draft;
  if (!request->is_webtransport || !conn->has_settings || open == 0) return false;
  draft = wt__settings_draft(&conn->peer);
  max = wt__settings_max_sessions(conn);
  return draft >= 7 && open >= max && (draft < 15 || max <= 1);
}

static void request_reject_session(wt_request *request) {
  struct wt__h3_conn *conn = request->conn;
  WT__WARN_LIMITED(
      conn->config->log, wt__h3_log_limit(conn), conn->now,
      WT__EVENT_OF("session_refused", WT__H3_CONNECTION(conn), WT__INTEGER("session", request->id),
                   WT__TEXT("path", request->path), WT__TEXT("code", "H3_REQUEST_REJECTED"),
                   WT__INTEGER("sessions_open", conn->mux.sessions_open)),
      "request %lld from %s for a session is reset (H3_REQUEST_REJECTED): its connection has %zu, and may have %zu "
      "(draft %d, max_sessions_per_connection is %zu)",
      (long long)request->id, conn->peer_address, conn->mux.sessions_open, wt__settings_max_sessions(conn),
      wt__settings_draft(&conn->peer), conn->config->max_sessions_per_connection);
  wt__request_abort(request, WT__H3_REQUEST_REJECTED);
}

/* An answer of the library's own. A client whose SETTINGS leave no room for it gets a reset. */
static void request_answer(wt_request *request, int status, const struct wt_header *headers, size_t count) {
  if (wt__answer_status(request, status, headers, count) == WT_ERR_TOO_LARGE)
    wt__request_abort(request, WT__H3_INTERNAL_ERROR);
}

/* The server's memory is full: nothing new is begun. */
static void request_refuse_for_memory(wt_request *request) {
  static const struct wt_header headers[] = {{"retry-after", "10"}};
  struct wt__h3_conn *conn = request->conn;
  if (conn->config->counters) conn->config->counters->requests_refused++;
  WT__WARN_LIMITED(conn->config->log, wt__h3_log_limit(conn), conn->now,
                   WT__EVENT_OF("request_refused", WT__H3_CONNECTION(conn), WT__INTEGER("request", request->id),
                                WT__TEXT("method", request->method), WT__TEXT("path", request->path),
                                WT__INTEGER("status", 503), WT__TEXT("reason", "the server's memory is full")),
                   "request %lld from %s is answered with 503, because the server's memory is full: %s %s",
                   (long long)request->id, conn->peer_address, request->method, request->path);
  request_answer(request, 503, headers, 1);
}

/* The application does not hear of it. */
static void request_refuse_fault(wt_request *request) {
  struct wt__h3_conn *conn = request->conn;
  bool malformed = request->fault == WT__REQUEST_MALFORMED;
  WT__INFO_LIMITED(conn->config->log, wt__h3_log_limit(conn), conn->now,
                   WT__EVENT_OF("request_refused", WT__H3_CONNECTION(conn), WT__INTEGER("request", request->id),
                                WT__TEXT("method", request->method), WT__TEXT("path", request->path),
                                WT__INTEGER_IF(!malformed, "status", 400),
                                WT__TEXT("code", malformed ? "H3_MESSAGE_ERROR" : NULL),
                                WT__TEXT("reason", request->error)),
                   "request %lld from %s is refused: %s", (long long)request->id, conn->peer_address, request->error);
  if (malformed) {
    wt__request_abort(request, WT__H3_MESSAGE_ERROR);
  } else {
    request_answer(request, 400, NULL, 0);
  }
}

static void request_dispatch(wt_request *request) {
  struct wt__h3_conn *conn = request->conn;
  const struct wt__route *route;
  if (request->is_webtransport && !conn->has_settings && !request->gave_up_settings &&
      conn->config->settings_timeout_ms > 0) {
    if (!wt__link_linked(&request->waiting)) wt__list_push_back(&conn->waiting_requests, &request->waiting);
    return;
  }
  if (request_is_excessive(request)) {
    request_reject_session(request);
    return;
  }
  request->gave_up_settings = request->is_webtransport && !conn->has_settings;
  request->stage = WT__REQUEST_DISPATCHED;
  if (conn->config->counters) conn->config->counters->requests_total++;
  if (!request->is_webtransport) wt__request_refuse_session(request);
  WT__DEBUG(conn->config->log,
            WT__EVENT_OF("request", WT__H3_CONNECTION(conn), WT__INTEGER("request", request->id),
                         WT__TEXT("method", request->method), WT__TEXT("path", request->path)),
            "request %lld from %s: %s %s", (long long)request->id, conn->peer_address, request->method, request->path);
  if (wt__gauge_pressure(wt__gauge_sum_of(conn->mux.gauge)) == WT__PRESSURE_FULL) {
    request_refuse_for_memory(request);
    return;
  }
  if (request->expect == WT__EXPECT_UNKNOWN) { /* RFC 9110, section 10.1.1 */
    wt__answer_status(request, 417, NULL, 0);
    return;
  }
  route = wt__routes_find(conn->config->routes, request->path);
  if (route) {
    wt_handler_callback handler = route->handler; /* the handler may replace its route */
    request->route_counts = route->counts;
    request->route = route->pattern;
    atomic_fetch_add_explicit(&route->counts->requests, 1, memory_order_relaxed);
    handler(request, route->user_data);
  } else {
    request_answer(request, 404, NULL, 0);
  }
}

/* --- The body --- */

/* Whether `on_body` may be called now. */
static bool request_takes_body(const wt_request *request) {
  bool open = request->ended == WT__REQUEST_OPEN || request->ended == WT__REQUEST_CLOSED;
  return open && request->stage == WT__REQUEST_DISPATCHED && request->has_callbacks && !request->in.paused &&
         !request->is_webtransport && !request->in.discard;
}

static void request_recv(struct wt__h3_stream *stream, const uint8_t *data, size_t len) {
  wt_request *request = stream->owner;
  bool wanted = request->ended == WT__REQUEST_OPEN && !request_is_unreadable(request);
  request->conn->bodies_total += len;
  request->body_received += len;
  if (wt__body_in_recv(&request->in, data, len, wanted, request_takes_body(request)) != 0) {
    wt__request_abort(request, WT__H3_INTERNAL_ERROR);
  } else if (request->in.kept.len > 0 && request_takes_body(request)) {
    wt__request_set_due(request);
  }
}

static void request_recv_fin(struct wt__h3_stream *stream) {
  wt_request *request = stream->owner;
  request->in.fin = true;
  wt__request_set_due(request);
}

/* --- A pass --- */

static void request_run_headers(wt_request *request) {
  switch (request->fault) {
    case WT__REQUEST_SOUND:
      if (request->stage == WT__REQUEST_WHOLE) request_dispatch(request);
      break;
    case WT__REQUEST_MALFORMED:
    case WT__REQUEST_UNCLEAR:
      if (!request->answered) request_refuse_fault(request);
      break;
    case WT__REQUEST_TOO_LARGE: /* answered before the section is whole, since it may never be */
      if (!request->answered) request_answer(request, 431, NULL, 0);
      break;
    case WT__REQUEST_NO_MEMORY: wt__request_abort(request, WT__H3_INTERNAL_ERROR); break;
  }
}

/* An answer that comes between two passes is measured in the next one, because `conn->now` is old until then. */
static void request_measure_answer(wt_request *request) {
  const struct wt__h3_conn *conn = request->conn;
  struct wt__measures *measures = conn->config->mux.measures;
  if (!measures || !request->is_webtransport || !request->answered || request->measured) return;
  request->measured = true;
  wt__histogram_record(&measures->accept, conn->now - request->came_at);
}

void wt__request_run(wt_request *request) {
  if (request->fail_pending) wt__request_abort(request, WT__H3_INTERNAL_ERROR);
  if (request->ended == WT__REQUEST_OPEN) request_run_headers(request);
  wt__interim_continue(request);
  if (request_takes_body(request)) wt__body_in_deliver(&request->in);
  if (request->out.writable_pending && request->ended == WT__REQUEST_OPEN && !request->out.ended) {
    request->out.writable_pending = false;
    if (request->callbacks.on_writable) request->callbacks.on_writable(request, request->user_data);
  }
  wt__stalls_watch_body(request);
  request_measure_answer(request);
  if (request->ended == WT__REQUEST_OPEN) return;
  wt__request_end(request);
  wt__request_free(request);
}

/* --- The role --- */

static bool request_awaits_headers(const struct wt__h3_stream *stream) {
  const wt_request *request = stream->owner;
  return request->stage == WT__REQUEST_READING;
}

static void request_malformed(struct wt__h3_stream *stream, uint64_t wire_code) {
  wt__request_abort(stream->owner, wire_code);
}

/* Behind an answer this is how the client obeys our STOP_SENDING. */
static void request_recv_reset(struct wt__h3_stream *stream, uint64_t wire_code) {
  wt_request *request = stream->owner;
  (void)wire_code;
  if (!request->answered) wt__request_abort(request, WT__H3_REQUEST_CANCELLED);
}

static void request_recv_stop_sending(struct wt__h3_stream *stream, uint64_t wire_code) {
  (void)wire_code;
  wt__request_abort(stream->owner, WT__H3_REQUEST_CANCELLED);
}

static nghttp3_ssize request_read(struct wt__h3_stream *stream, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags) {
  return wt__answer_read(stream->owner, vecs, max_vecs, flags);
}

static void request_sent(struct wt__h3_stream *stream, size_t len, bool fin) {
  wt_request *request = stream->owner;
  if (fin) request->fin_sent = true;
  if (request->unsent > 0) wt__request_file_sent(request, len);
}

static void request_acked(struct wt__h3_stream *stream, uint64_t len) { wt__answer_acked(stream->owner, len); }

static void request_unblocked(struct wt__h3_stream *stream) {
  const wt_request *request = stream->owner;
  if (request->file) wt__http_resume(request->conn, request->id); /* nothing was read of it without a window */
}

static bool request_is_reset(const struct wt__h3_stream *stream) {
  const wt_request *request = stream->owner;
  return request->ended == WT__REQUEST_ABORTED;
}

static void request_closed(struct wt__h3_stream *stream) {
  wt_request *request = stream->owner;
  if (request->ended == WT__REQUEST_OPEN) request->ended = WT__REQUEST_CLOSED;
  request->stream = NULL;
  wt__role_leave(stream);
  wt__request_set_due(request);
}

static const struct wt__role role_request = {
    .awaits_headers = request_awaits_headers,
    .fields = request_fields,
    .headers_done = request_headers_done,
    .unreadable = request_unreadable,
    .malformed = request_malformed,
    .recv = request_recv,
    .recv_fin = request_recv_fin,
    .recv_reset = request_recv_reset,
    .recv_stop_sending = request_recv_stop_sending,
    .read = request_read,
    .sent = request_sent,
    .acked = request_acked,
    .unblocked = request_unblocked,
    .is_reset = request_is_reset,
    .closed = request_closed,
    .connect = wt__role_no_connect,
};
