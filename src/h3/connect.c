/* SPDX-License-Identifier: MIT */
/*
 * The CONNECT stream of a session (draft section 3.2): capsules in both directions, and how the stream ends. core reads and
 * writes the capsules.
 *
 * Capsules may arrive before the application has accepted the session, or before it has heard the answer to a dial. They are
 * kept, and the next pass gives them to the session.
 */

#include "h3/connect.h"

#include "base/mem.h"
#include "h3/conn_state.h"
#include "h3/http.h"
#include "h3/role.h"
#include "h3/session_fields.h"
#include "h3/streams.h"
#include "wire/error_code.h"

struct wt__h3_connect *wt__connect_new(struct wt__h3_conn *conn, struct wt__h3_stream *stream, size_t early_max) {
  struct wt__h3_connect *connect = wt__calloc(1, sizeof(*connect));
  if (!connect) return NULL;
  connect->fields = wt__session_fields_new(conn->mux.gauge, !conn->client);
  if (!connect->fields) {
    wt__free(connect);
    return NULL;
  }
  connect->conn = conn;
  connect->stream = stream;
  connect->id = stream->id;
  wt__link_init(&connect->link);
  wt__link_init(&connect->due);
  wt__buf_init(&connect->early, early_max);
  connect->early.gauge = conn->mux.gauge;
  return connect;
}

static void connect_consume(struct wt__h3_connect *connect, uint64_t len) {
  if (len > 0 && !connect->conn->closing) connect->conn->transport->consume(connect->conn->ctx, connect->id, len);
}

void wt__connect_give_fields(struct wt__h3_connect *connect) {
  wt__session_fields_give(connect->session, connect->fields);
  connect->fields = NULL;
}

void wt__connect_free(struct wt__h3_connect *connect) {
  if (connect->stream->owner == connect) wt__role_leave(connect->stream);
  if (connect->holder) *connect->holder = NULL;
  wt__list_remove(&connect->link);
  wt__list_remove(&connect->due);
  connect_consume(connect, connect->early.len);
  wt__buf_free(&connect->early);
  wt__session_fields_free(connect->fields);
  wt__free(connect);
}

void wt__connect_reset(struct wt__h3_connect *connect, uint64_t wire_code) {
  struct wt__h3_conn *conn = connect->conn;
  if (connect->ended) return;
  connect->ended = true;
  if (conn->closing) return;
  if (conn->lone_fin_id == connect->id) conn->lone_fin_id = -1;
  wt__h3_reset_stream(conn, connect->id, wire_code);
  wt__h3_stop_sending(conn, connect->id, wire_code);
  nghttp3_conn_shutdown_stream_write(wt__h3_http(conn), connect->id);
  wt__http_stop_reading(conn, connect->id);
}

void wt__connect_recv(struct wt__h3_connect *connect, const uint8_t *data, size_t len) {
  if (connect->ended) {
    connect_consume(connect, len);
  } else if (!connect->early_pending) {
    wt__session_recv(connect->session, data, len);
    connect_consume(connect, len);
  } else if (wt__buf_append(&connect->early, data, len) != 0) {
    connect_consume(connect, len);
    wt__h3_fail(connect->conn, WT__H3_INTERNAL_ERROR, "out of memory");
  }
}

static void connect_recv_fin(struct wt__h3_stream *stream) {
  struct wt__h3_connect *connect = stream->owner;
  if (connect->reset_pending) return;
  if (connect->early_pending) {
    connect->fin_pending = true;
  } else if (!connect->ended) {
    wt__session_recv_fin(connect->session);
  }
}

static void connect_recv_reset(struct wt__h3_stream *stream, uint64_t wire_code) {
  struct wt__h3_connect *connect = stream->owner;
  if (connect->ended || connect->reset_pending) return;
  connect->reset_pending = true;
  connect->reset_code = wire_code;
  if (!connect->early_pending) wt__session_recv_reset(connect->session, wire_code);
}

void wt__connect_run(struct wt__h3_connect *connect) {
  if (connect->early_pending) {
    struct wt__buf taken = wt__buf_move(&connect->early);
    connect->early_pending = false;
    if (taken.len > 0 && !connect->ended) wt__session_recv(connect->session, wt__buf_head(&taken), taken.len);
    connect_consume(connect, taken.len);
    wt__buf_free(&taken);
    if (connect->fin_pending && !connect->ended) wt__session_recv_fin(connect->session);
  }
  if (connect->reset_pending && !connect->ended) wt__session_recv_reset(connect->session, connect->reset_code);
}

nghttp3_ssize wt__connect_read(struct wt__h3_connect *connect, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags) {
  struct wt__vec found[WT__SEND_VECS];
  size_t count, total = 0;
  bool fin = false;
  if (connect->ended) return NGHTTP3_ERR_WOULDBLOCK;
  count = wt__session_peek(connect->session, found, max_vecs < WT__SEND_VECS ? max_vecs : WT__SEND_VECS, &fin);
  if (count == 0 && !fin) return NGHTTP3_ERR_WOULDBLOCK;
  for (size_t i = 0; i < count; i++) {
    vecs[i] = (nghttp3_vec){(uint8_t *)found[i].data, found[i].len};
    total += found[i].len;
  }
  /* The FIN is reported once QUIC has it: core resets the session's streams only then. */
  wt__session_sent(connect->session, total, false);
  if (fin) *flags |= NGHTTP3_DATA_FLAG_EOF;
  return (nghttp3_ssize)count;
}

void wt__connect_sent(struct wt__h3_connect *connect, size_t len, bool fin) {
  connect->sent += len;
  if (!fin) return;
  connect->fin_sent = true;
  wt__session_sent(connect->session, 0, true);
}

void wt__connect_closed(struct wt__h3_connect *connect) {
  wt_session *session = connect->session;
  wt__connect_run(connect); /* what was put off says how the session ended */
  wt__connect_free(connect);
  wt__session_connect_closed(session);
}

struct wt__h3_connect *wt__connect_find(struct wt__h3_conn *conn, int64_t id) {
  const struct wt__h3_stream *record = wt__streams_find(conn, id);
  return record && record->kind == WT__H3_HTTP ? record->role->connect(record) : NULL;
}

/* --- The role --- */

static void connect_malformed(struct wt__h3_stream *stream, uint64_t wire_code) {
  connect_recv_reset(stream, wire_code);
  wt__h3_stop_sending(stream->conn, stream->id, wire_code);
  wt__h3_reset_stream(stream->conn, stream->id, wire_code);
}

static void connect_recv(struct wt__h3_stream *stream, const uint8_t *data, size_t len) {
  wt__connect_recv(stream->owner, data, len);
}

static void connect_recv_stop_sending(struct wt__h3_stream *stream, uint64_t wire_code) {
  const struct wt__h3_connect *connect = stream->owner;
  wt__session_recv_stop_sending(connect->session, wire_code);
}

static nghttp3_ssize connect_read(struct wt__h3_stream *stream, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags) {
  return wt__connect_read(stream->owner, vecs, max_vecs, flags);
}

static void connect_sent(struct wt__h3_stream *stream, size_t len, bool fin) {
  wt__connect_sent(stream->owner, len, fin);
}

static void connect_acked(struct wt__h3_stream *stream, uint64_t len) {
  const struct wt__h3_connect *connect = stream->owner;
  wt__session_acked(connect->session, len);
}

static bool connect_is_reset(const struct wt__h3_stream *stream) {
  const struct wt__h3_connect *connect = stream->owner;
  return connect->ended;
}

static void connect_closed(struct wt__h3_stream *stream) { wt__connect_closed(stream->owner); }
static struct wt__h3_connect *connect_of(const struct wt__h3_stream *stream) { return stream->owner; }

const struct wt__role wt__role_connect = {
    .awaits_headers = wt__role_no,
    .fields = wt__role_no_fields,
    .headers_done = wt__role_ignore,
    .unreadable = wt__role_unreadable_is_malformed,
    .malformed = connect_malformed,
    .recv = connect_recv,
    .recv_fin = connect_recv_fin,
    .recv_reset = connect_recv_reset,
    .recv_stop_sending = connect_recv_stop_sending,
    .read = connect_read,
    .sent = connect_sent,
    .acked = connect_acked,
    .unblocked = wt__role_ignore,
    .is_reset = connect_is_reset,
    .closed = connect_closed,
    .connect = connect_of,
};
