/* SPDX-License-Identifier: MIT */
/*
 * A request: how it ends, and what an application reads from it and sets. Its life is in request_run.c, its answer in
 * answer.c. This file calls neither, so that both can use it.
 *
 * Nothing is freed here while the application may use it. `wt__request_abort` ends the stream and makes the request due; the
 * next pass calls `on_close` and frees it.
 */

#include "h3/request.h"

#include <string.h>

#include "base/mem.h"
#include "base/sized.h"
#include "h3/access.h"
#include "h3/body.h"
#include "h3/conn_state.h"
#include "h3/fields.h"
#include "h3/file_body.h"
#include "h3/http.h"
#include "h3/role.h"
#include "wire/error_code.h"
#include "wire/target.h"

void wt__request_set_due(wt_request *request) {
  if (!wt__link_linked(&request->due)) wt__list_push_back(&request->conn->due_requests, &request->due);
}

static void request_set_due_now(wt_request *request) {
  wt__request_set_due(request);
  wt__h3_wake(request->conn);
}

/* --- Its end --- */

/* A stream that came early for this request will have no session. Ordinary requests are many, and the
 * ids that core remembers are few: they are reported only where something waits. */
void wt__request_refuse_session(wt_request *request) {
  struct wt__mux *mux = &request->conn->mux;
  if (request->conn->closing) return;
  if (request->is_webtransport || mux->early_streams_len > 0 || mux->early_datagrams_len > 0) {
    wt__mux_session_refused(mux, request->id);
  }
}

void wt__request_file_sent(wt_request *request, size_t len) {
  uint64_t taken = len < request->unsent ? len : request->unsent; /* the frames' heads are in `len` too */
  request->unsent -= taken;
  request->conn->unsent -= taken;
}

/* Keeps nothing that only the wire needed. */
static void request_drop_bytes(wt_request *request) {
  wt__sendq_drop(&request->out.queue, &request->conn->released);
  wt__file_body_free(request->file);
  request->file = NULL;
  wt__request_file_sent(request, SIZE_MAX);
  wt__list_remove(&request->blocked);
  wt__body_in_drop(&request->in);
}

void wt__request_free(wt_request *request) {
  struct wt__h3_conn *conn = request->conn;
  if (request->ended != WT__REQUEST_UPGRADED) {
    if (!request->answered) wt__request_refuse_session(request);
    if (request->stream) wt__role_leave(request->stream);
  }
  if (request->stage != WT__REQUEST_READING) conn->requests_open--;
  wt__list_remove(&request->link);
  wt__list_remove(&request->due);
  wt__list_remove(&request->waiting);
  wt__progress_forget(&conn->answers, &request->answer_progress);
  wt__progress_forget(&conn->bodies, &request->body_progress);
  request_drop_bytes(request);
  wt__fields_free(&request->fields);
  if (request->path_copy) wt__gauge_remove(conn->mux.gauge, wt__mem_size(request->path_copy));
  wt__gauge_remove(conn->mux.gauge, sizeof(*request));
  wt__free(request->path_copy);
  wt__free(request);
}

void wt__request_abort(wt_request *request, uint64_t wire_code) {
  struct wt__h3_conn *conn = request->conn;
  if (request->ended != WT__REQUEST_OPEN) return;
  request->ended = WT__REQUEST_ABORTED;
  request->reset_code = wire_code;
  if (!conn->closing) {
    wt__h3_reset_stream(conn, request->id, wire_code);
    wt__h3_stop_sending(conn, request->id, wire_code);
    nghttp3_conn_shutdown_stream_write(wt__h3_http(conn), request->id);
    wt__http_stop_reading(conn, request->id);
  }
  if (conn->lone_fin_id == request->id) conn->lone_fin_id = -1;
  request_drop_bytes(request);
  request_set_due_now(request);
}

void wt__request_end(wt_request *request) {
  int error = request->ended == WT__REQUEST_CLOSED && request->fin_sent ? 0 : WT_ERR_CLOSED;
  struct wt_request_callbacks callbacks = request->callbacks;
  if (request->ended == WT__REQUEST_UPGRADED) return;
  if (request->timed_out && error) error = WT_ERR_TIMEOUT;
  request->ended = WT__REQUEST_ABORTED; /* whatever is called from inside `on_close` */
  memset(&request->callbacks, 0, sizeof(request->callbacks));
  if (request->stage == WT__REQUEST_DISPATCHED && callbacks.on_close)
    callbacks.on_close(request, error, request->user_data);
  wt__access_request(request, error);
}

void wt__request_refuse_body(wt_request *request) {
  if (request->in.discard) return;
  request->in.discard = true;
  wt__body_in_drop(&request->in);
  if (request->in.fin || request->ended != WT__REQUEST_OPEN) return;
  wt__h3_stop_sending(request->conn, request->id, WT__H3_NO_ERROR);
  wt__http_stop_reading(request->conn, request->id);
}

/* --- What the application reads and sets --- */

int wt__request_error(wt_request *request, int error, const char *text) {
  request->error = text;
  return error;
}

int wt_request_set_callbacks(wt_request *request, const struct wt_request_callbacks *callbacks, void *user_data) {
  if (!request) return WT_ERR_INVALID;
  int error = wt__sized_read_table(&request->callbacks, sizeof(request->callbacks), callbacks, sizeof(*callbacks));
  if (error) return wt__request_error(request, error, "the table of callbacks has a size that no version has");
  request->user_data = user_data;
  request->has_callbacks = true;
  request_set_due_now(request);
  return 0;
}

void *wt_request_user_data(const wt_request *request) { return request ? request->user_data : NULL; }
const char *wt_request_method(const wt_request *request) { return request ? request->method : ""; }
const char *wt_request_path(const wt_request *request) { return request ? request->path : ""; }
const char *wt_request_query(const wt_request *request) { return request ? request->query : ""; }
const char *wt_request_authority(const wt_request *request) { return request ? request->authority : ""; }
const char *wt_request_protocol(const wt_request *request) { return request ? request->protocol : ""; }
const char *wt_request_origin(const wt_request *request) { return request ? request->origin : NULL; }
const char *wt_request_peer_address(const wt_request *request) { return request ? request->conn->peer_address : ""; }
bool wt_request_is_webtransport(const wt_request *request) { return request && request->is_webtransport; }
const char *wt_request_error(const wt_request *request) { return request ? request->error : ""; }
wt_server *wt_request_server(const wt_request *request) { return request ? request->conn->config->server : NULL; }

unsigned wt_request_worker(const wt_request *request) { return request ? request->conn->config->mux.worker : 0; }

int wt_request_get_query_value(const wt_request *request, const char *name, char *value, size_t size) {
  if (value && size) value[0] = '\0';
  if (!request || !name || !value) return WT_ERR_INVALID;
  return wt__target_query_value(request->query, name, value, size);
}

const char *wt_request_header(const wt_request *request, const char *name) {
  return request ? wt__fields_header_value(&request->fields, name) : NULL;
}

int wt_request_get_header_at(const wt_request *request, size_t index, struct wt_header *header) {
  return request && header ? wt__fields_at(&request->fields, index, true, header) : WT_ERR_INVALID;
}

int wt_request_get_query_at(const wt_request *request, size_t index, char *name, size_t name_size, char *value,
                            size_t value_size) {
  if (name && name_size) name[0] = '\0';
  if (value && value_size) value[0] = '\0';
  if (!request || !name || !value) return WT_ERR_INVALID;
  return wt__target_query_at(request->query, index, name, name_size, value, value_size);
}

int wt_request_reset(wt_request *request, uint64_t wire_code) {
  if (!request) return WT_ERR_INVALID;
  if (wire_code >> 62) return wt__request_error(request, WT_ERR_INVALID, "the code has more than 62 bits");
  if (request->ended != WT__REQUEST_OPEN || request->conn->closing)
    return wt__request_error(request, WT_ERR_CLOSED, "the client or the connection is gone");
  wt__request_abort(request, wire_code);
  return 0;
}

int wt_request_close_connection(wt_request *request, uint64_t wire_code, const char *reason, size_t reason_len) {
  char text[WT__LEAVE_REASON_MAX + 1];
  if (!request) return WT_ERR_INVALID;
  int error = wt__leave_check(wire_code, reason, reason_len, text);
  if (error) return wt__request_error(request, error, "the code or the reason cannot be sent");
  wt__h3_leave(request->conn, wire_code, text);
  return 0;
}

void wt_request_pause(wt_request *request) {
  if (request) request->in.paused = true;
}

void wt_request_resume(wt_request *request) {
  if (!request) return;
  request->in.paused = false;
  request_set_due_now(request);
}
