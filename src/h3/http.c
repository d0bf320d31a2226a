/* SPDX-License-Identifier: MIT */
/*
 * The border to nghttp3: its callbacks, and the bytes that it gets.
 *
 * nghttp3 knows streams by id, and so do we. Its own pointer for a stream is not used.
 *
 * Fields do not come from nghttp3: headers.c decodes and checks them before nghttp3 gets the bytes, so nghttp3 never has to
 * wait for QPACK. It adds the rules for the order of frames, and those for pseudo-header fields of answers and trailers.
 *
 * Flow control: `nghttp3_conn_read_stream` returns how many bytes it has used up itself. Bytes of bodies are not among them;
 * whoever takes those reports them as read.
 */

#include "h3/http.h"

#include <string.h>

#include "base/mem.h"
#include "h3/conn_state.h"
#include "h3/headers.h"
#include "h3/role.h"
#include "h3/section.h"
#include "h3/side.h"
#include "h3/streams.h"
#include "wire/error_code.h"

/* --- Memory --- */

/* `user_data` is the gauge that counts it. */
static void *http_counted(void *ptr, void *user_data) {
  if (ptr) wt__gauge_add(user_data, wt__mem_size(ptr));
  return ptr;
}
static void *http_malloc(size_t size, void *user_data) { return http_counted(wt__malloc(size), user_data); }
static void *http_calloc(size_t count, size_t size, void *user_data) {
  return http_counted(wt__calloc(count, size), user_data);
}
static void http_free(void *ptr, void *user_data) {
  if (ptr) wt__gauge_remove(user_data, wt__mem_size(ptr));
  wt__free(ptr);
}
static void *http_realloc(void *ptr, size_t size, void *user_data) {
  size_t before = ptr ? wt__mem_size(ptr) : 0;
  void *moved = http_counted(wt__realloc(ptr, size), user_data);
  if (moved) wt__gauge_remove(user_data, before);
  return moved;
}

/* --- Callbacks --- */

/* Once the connection is closing, nghttp3 has to stop at once. */
static int http_result(const struct wt__h3_conn *conn) { return conn->closing ? NGHTTP3_ERR_CALLBACK_FAILURE : 0; }

/* The stream; NULL: it is gone. */
static struct wt__h3_stream *http_stream(struct wt__h3_conn *conn, int64_t id) {
  struct wt__h3_stream *record = wt__streams_find(conn, id);
  return record && record->kind == WT__H3_HTTP ? record : NULL;
}

static int on_end_headers(nghttp3_conn *http, int64_t id, int fin, void *user_data, void *stream_user_data) {
  struct wt__h3_conn *conn = user_data;
  struct wt__h3_stream *record = http_stream(conn, id);
  (void)http, (void)fin, (void)stream_user_data;
  if (record) record->role->headers_done(record);
  return http_result(conn);
}

static int on_data(nghttp3_conn *http, int64_t id, const uint8_t *data, size_t len, void *user_data,
                   void *stream_user_data) {
  struct wt__h3_conn *conn = user_data;
  struct wt__h3_stream *record = http_stream(conn, id);
  (void)http, (void)stream_user_data;
  if (record) {
    record->role->recv(record, data, len);
  } else {
    conn->transport->consume(conn->ctx, id, len);
  }
  return http_result(conn);
}

static int on_end_stream(nghttp3_conn *http, int64_t id, void *user_data, void *stream_user_data) {
  struct wt__h3_conn *conn = user_data;
  struct wt__h3_stream *record = http_stream(conn, id);
  (void)http, (void)stream_user_data;
  if (record) record->role->recv_fin(record);
  return http_result(conn);
}

static int on_acked(nghttp3_conn *http, int64_t id, uint64_t len, void *user_data, void *stream_user_data) {
  struct wt__h3_conn *conn = user_data;
  struct wt__h3_stream *record = http_stream(conn, id);
  (void)http, (void)stream_user_data;
  if (record) record->role->acked(record, len);
  return http_result(conn);
}

static int on_stop_sending(nghttp3_conn *http, int64_t id, uint64_t wire_code, void *user_data,
                           void *stream_user_data) {
  struct wt__h3_conn *conn = user_data;
  (void)http, (void)stream_user_data;
  wt__h3_stop_sending(conn, id, wire_code);
  return http_result(conn);
}

/* A malformed message, or a new request after the GOAWAY. */
static int on_reset(nghttp3_conn *http, int64_t id, uint64_t wire_code, void *user_data, void *stream_user_data) {
  struct wt__h3_conn *conn = user_data;
  struct wt__h3_stream *record = http_stream(conn, id);
  (void)http, (void)stream_user_data;
  if (record) {
    record->role->malformed(record, wire_code);
  } else {
    wt__h3_reset_stream(conn, id, wire_code);
  }
  return http_result(conn);
}

/* The peer's GOAWAY: also a signal to bring sessions to an end (draft section 4.7). */
static int on_shutdown(nghttp3_conn *http, int64_t id, void *user_data) {
  struct wt__h3_conn *conn = user_data;
  (void)http;
  conn->side->recv_goaway(conn, id);
  wt__mux_drain(&conn->mux);
  return http_result(conn);
}

static nghttp3_ssize on_read(nghttp3_conn *http, int64_t id, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags,
                             void *user_data, void *stream_user_data) {
  struct wt__h3_conn *conn = user_data;
  struct wt__h3_stream *record = http_stream(conn, id);
  nghttp3_ssize count = record ? record->role->read(record, vecs, max_vecs, flags) : NGHTTP3_ERR_WOULDBLOCK;
  (void)http, (void)stream_user_data;
  if (count == NGHTTP3_ERR_WOULDBLOCK) conn->read_blocked = true;
  return count;
}

const nghttp3_data_reader wt__http_body_reader = {on_read};

/* --- Calls --- */

int wt__http_new(struct wt__h3_conn *conn) {
  nghttp3_callbacks callbacks = {0};
  nghttp3_settings settings;
  conn->http_mem = (nghttp3_mem){conn->mux.gauge, http_malloc, http_free, http_calloc, http_realloc};
  callbacks.end_headers = on_end_headers;
  callbacks.recv_data = on_data;
  callbacks.end_stream = on_end_stream;
  callbacks.acked_stream_data = on_acked;
  callbacks.stop_sending = on_stop_sending;
  callbacks.reset_stream = on_reset;
  callbacks.shutdown = on_shutdown;
  nghttp3_settings_default(&settings);
  settings.h3_datagram = 1;
  settings.qpack_max_dtable_capacity = WT__QPACK_TABLE_CAPACITY;
  settings.qpack_blocked_streams = WT__QPACK_BLOCKED_STREAMS;
  return conn->side->http_new(conn, &callbacks, &settings) ? WT_ERR_NOMEM : 0;
}

void wt__http_recv(struct wt__h3_conn *conn, int64_t id, const uint8_t *data, size_t len, bool fin) {
  nghttp3_ssize used = nghttp3_conn_read_stream(wt__h3_http(conn), id, data, len, fin);
  if (used < 0) {
    struct wt__h3_stream *record = http_stream(conn, id);
    wt__h3_fail_http(conn, (int)used);
    /* A stream error that nghttp3 makes one of the connection: some frames behind trailers. */
    if (used == NGHTTP3_ERR_MALFORMED_HTTP_MESSAGING && record) record->role->malformed(record, WT__H3_MESSAGE_ERROR);
  } else if (used > 0 && !conn->closing) {
    conn->transport->consume(conn->ctx, id, (uint64_t)used);
  }
}

void wt__http_recv_counted(struct wt__h3_conn *conn, int64_t id, const uint8_t *data, size_t len) {
  nghttp3_ssize used = nghttp3_conn_read_stream(wt__h3_http(conn), id, data, len, false);
  if (used < 0) wt__h3_fail_http(conn, (int)used);
}

void wt__http_stop_reading(struct wt__h3_conn *conn, int64_t id) {
  struct wt__h3_stream *record = wt__streams_find(conn, id);
  if (conn->closing) return;
  if (record) {
    record->reading = WT__H3_DISCARD;
    wt__headers_drop(conn, record);
  }
  int error = nghttp3_conn_shutdown_stream_read(wt__h3_http(conn), id);
  if (error) wt__h3_fail_http(conn, error);
}

void wt__http_resume(struct wt__h3_conn *conn, int64_t id) {
  struct wt__h3_stream *record = http_stream(conn, id);
  if (conn->closing || !record || record->role->is_reset(record)) return;
  int error = nghttp3_conn_resume_stream(wt__h3_http(conn), id);
  if (error) wt__h3_fail_http(conn, error);
  wt__h3_wake(conn);
}
