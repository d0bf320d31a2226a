/* SPDX-License-Identifier: MIT */
/*
 * Whose stream is it? The first varint of a peer's stream decides, before nghttp3 sees any of it: 0x54 (unidirectional) and
 * 0x41 (bidirectional) are WebTransport's (draft sections 4.2 and 4.3), everything else is HTTP/3's. nghttp3 knows neither
 * and would refuse or misread them.
 *
 *                     first varint incomplete: bytes are kept (at most 16)
 *     UNDECIDED --+-- 0x41, 0x54 and a whole session id --> WEBTRANSPORT --> core
 *                 +-- other -----------------------------> HTTP ----------> nghttp3, kept bytes first
 *                 +-- ended or reset before that --------> REFUSED: dropped and reported as read
 *
 * nghttp3 does not hear about streams that go to core, with two exceptions:
 *
 *  - Before a GOAWAY. nghttp3 sends the first id that it has not seen, and the client may have used that one long ago. So we
 *    show nghttp3 the highest id that went to core, as a stream that opens and closes at once.
 *  - A PRIORITY_UPDATE for a stream that has not come yet makes nghttp3 open it. We close it there when the stream closes,
 *    whatever the stream has become. Updates for streams that are known to be core's do not reach nghttp3 (priority.c).
 *
 * We never call `nghttp3_conn_shutdown_stream_read` for an id that went to core: it would send a QPACK cancellation for a
 * stream that QPACK does not know.
 *
 * All arrivals on streams come in here and are passed on.
 */

#include "h3/demux.h"

#include <string.h>

#include "h3/conn.h"
#include "h3/conn_state.h"
#include "h3/headers.h"
#include "h3/http.h"
#include "h3/peer_control.h"
#include "h3/role.h"
#include "h3/settings.h"
#include "h3/side.h"
#include "h3/stalls.h"
#include "h3/streams.h"
#include "wire/error_code.h"
#include "wire/varint.h"

#define IS_UNI(id) (((id)&2) != 0)
#define STREAM_QPACK_ENCODER 0x02 /* RFC 9204, section 4.2 */

/* --- Records --- */

static bool stream_is_ours(const struct wt__h3_conn *conn, int64_t id) { return (id & 1) == conn->side->opens; }

/* A stream of the peer that may be new. Streams of ours have a record since they were opened. */
static struct wt__h3_stream *record_of_peer(struct wt__h3_conn *conn, int64_t id) {
  struct wt__h3_stream *record = wt__streams_find(conn, id);
  if (record || stream_is_ours(conn, id)) return record;
  record = wt__streams_add(conn, id, WT__H3_UNDECIDED);
  if (!IS_UNI(id) && id > conn->highest_id) conn->highest_id = id;
  if (!record) wt__h3_fail(conn, WT__H3_INTERNAL_ERROR, "out of memory");
  return record;
}

/* --- Deciding --- */

static void stream_consume(struct wt__h3_conn *conn, int64_t id, uint64_t len) {
  if (len > 0) conn->transport->consume(conn->ctx, id, len);
}

void wt__demux_tell_diverted(struct wt__h3_conn *conn) {
  if (conn->diverted_id < 0) return;
  nghttp3_ssize used = nghttp3_conn_read_stream(wt__h3_http(conn), conn->diverted_id, NULL, 0, 0);
  if (used < 0) {
    wt__h3_fail_http(conn, (int)used);
    return;
  }
  nghttp3_conn_close_stream(wt__h3_http(conn), conn->diverted_id, WT__H3_NO_ERROR);
}

static void decide_webtransport(struct wt__h3_conn *conn, struct wt__h3_stream *record, int64_t session_id,
                                size_t header_len) {
  if (!IS_UNI(record->id) && record->id > conn->diverted_id) conn->diverted_id = record->id;
  stream_consume(conn, record->id, header_len);
  record->stream = wt__mux_stream_new_remote(&conn->mux, record->id, IS_UNI(record->id), session_id, conn->now);
  record->kind = record->stream ? WT__H3_WEBTRANSPORT : WT__H3_REFUSED;
  if (record->stream) wt__stream_set_recv_header(record->stream, header_len);
  if (record->stream && record->stop_seen) wt__stream_recv_stop_sending(record->stream, record->stop_code);
}

static void decide_http(struct wt__h3_conn *conn, struct wt__h3_stream *record, uint64_t type) {
  size_t type_len = wt__varint_len_of(record->head[0]);
  record->kind = WT__H3_HTTP;
  if (IS_UNI(record->id)) {
    if (type == 0 && conn->peer_control_id < 0) {
      wt__peer_control_begin(conn, record->id, type_len);
    } else if (type == STREAM_QPACK_ENCODER && conn->peer_encoder_id < 0) {
      conn->peer_encoder_id = record->id;
      record->frames.left = type_len;
    }
    return;
  }
  conn->side->recv_request(conn, record);
}

/* Looks at the beginning of a stream; `data` is its newest part. Returns how much of `data` was used up. */
static size_t demux_decide(struct wt__h3_conn *conn, struct wt__h3_stream *record, const uint8_t *data, size_t len) {
  size_t had = record->head_len, header_len = 0;
  size_t n = len < sizeof(record->head) - had ? len : sizeof(record->head) - had;
  uint64_t type = 0;
  int64_t session_id = 0;
  memcpy(record->head + had, data, n);
  record->head_len = had + n;
  switch (wt__stream_header_read(IS_UNI(record->id), record->head, record->head_len, &type, &session_id, &header_len)) {
    case WT__STREAM_HEADER_MORE: return n;
    case WT__STREAM_HEADER_WT: decide_webtransport(conn, record, session_id, header_len); return header_len - had;
    case WT__STREAM_HEADER_HTTP:
      decide_http(conn, record, type);
      record->head_len = had; /* to be replayed; `data` follows behind it */
      return 0;
    case WT__STREAM_HEADER_BAD_ID: break;
  }
  wt__h3_fail(conn, WT__H3_ID_ERROR, "the session id of a stream is not that of a request");
  return len;
}

/* --- Passing on --- */

static void http_recv(struct wt__h3_conn *conn, struct wt__h3_stream *record, const uint8_t *data, size_t len,
                      bool fin) {
  if (!IS_UNI(record->id)) {
    wt__headers_recv(conn, record, data, len, fin);
  } else if (record->id == conn->peer_control_id) {
    wt__peer_control_recv(conn, data, len, fin);
  } else if (record->id == conn->peer_encoder_id) {
    wt__headers_recv_encoder(conn, record, data, len, fin);
  } else {
    wt__http_recv(conn, record->id, data, len, fin);
  }
}

static void demux_pass(struct wt__h3_conn *conn, struct wt__h3_stream *record, const uint8_t *data, size_t len,
                       bool fin) {
  switch (record->kind) {
    case WT__H3_HTTP:
      if (record->head_len > 0) {
        size_t kept = record->head_len;
        record->head_len = 0;
        http_recv(conn, record, record->head, kept, false);
        if (conn->closing) return;
      }
      http_recv(conn, record, data, len, fin);
      break;
    case WT__H3_WEBTRANSPORT:
      if (!record->stream) {
        stream_consume(conn, record->id, len);
      } else if (len > 0 || fin) {
        wt__stream_recv(record->stream, data, len, fin);
      }
      break;
    case WT__H3_REFUSED: stream_consume(conn, record->id, len); break;
    case WT__H3_UNDECIDED:
      if (fin) wt__streams_refuse(conn, record, WT__H3_REQUEST_INCOMPLETE);
      break;
  }
}

void wt__h3_conn_recv(struct wt__h3_conn *conn, int64_t id, const uint8_t *data, size_t len, bool fin, uint64_t now) {
  struct wt__h3_stream *record;
  size_t used = 0;
  if (len == 0) data = (const uint8_t *)""; /* a FIN alone may come with NULL, to which nothing may be added */
  conn->now = now;
  if (conn->closing) return;
  if (!conn->started) {
    wt__h3_fail(conn, WT__H3_INTERNAL_ERROR, "data before the handshake is done");
    return;
  }
  record = record_of_peer(conn, id);
  if (!record) return;
  if (record->kind == WT__H3_UNDECIDED && len > 0) {
    used = demux_decide(conn, record, data, len);
    if (conn->closing) return;
    data += used;
    len -= used;
  }
  demux_pass(conn, record, data, len, fin);
  if (!wt__stalls_header_is_whole(record) && !conn->closing) wt__stalls_watch_header(conn, record);
}

void wt__h3_conn_recv_promise(struct wt__h3_conn *conn, int64_t id, uint64_t reliable_size) {
  const struct wt__h3_stream *record = wt__streams_find(conn, id);
  if (!conn->closing && record && record->stream && record->kind == WT__H3_WEBTRANSPORT)
    wt__stream_recv_promise(record->stream, reliable_size);
}

void wt__h3_conn_recv_final_size(struct wt__h3_conn *conn, int64_t id, uint64_t final_size) {
  const struct wt__h3_stream *record = wt__streams_find(conn, id);
  if (!conn->closing && record && record->stream && record->kind == WT__H3_WEBTRANSPORT)
    wt__stream_recv_final_size(record->stream, final_size);
}

void wt__h3_conn_recv_reset(struct wt__h3_conn *conn, int64_t id, uint64_t wire_code, uint64_t final_size) {
  struct wt__h3_stream *record;
  if (conn->closing) return;
  record = record_of_peer(conn, id);
  if (!record) return;
  switch (record->kind) {
    case WT__H3_UNDECIDED:
      /* No QPACK cancellation: whether this was a request will never be known. */
      wt__streams_refuse(conn, record, WT__H3_REQUEST_CANCELLED);
      break;
    case WT__H3_WEBTRANSPORT:
      if (record->stream) wt__stream_recv_reset(record->stream, wire_code, final_size);
      break;
    case WT__H3_HTTP:
      wt__http_stop_reading(conn, id);
      record->role->recv_reset(record, wire_code);
      break;
    case WT__H3_REFUSED: break;
  }
}

void wt__h3_conn_recv_stop_sending(struct wt__h3_conn *conn, int64_t id, uint64_t wire_code) {
  struct wt__h3_stream *record;
  if (conn->closing) return;
  if (wt__control_owns(conn, id)) {
    wt__h3_fail(conn, WT__H3_CLOSED_CRITICAL_STREAM, "the peer stopped a critical stream");
    return;
  }
  record = record_of_peer(conn, id);
  if (!record) return;
  switch (record->kind) {
    case WT__H3_UNDECIDED:
      record->stop_seen = true;
      record->stop_code = wire_code;
      break;
    case WT__H3_WEBTRANSPORT:
      if (record->stream) wt__stream_recv_stop_sending(record->stream, wire_code);
      break;
    case WT__H3_HTTP:
      nghttp3_conn_shutdown_stream_write(wt__h3_http(conn), id);
      record->role->recv_stop_sending(record, wire_code);
      break;
    case WT__H3_REFUSED: break;
  }
}

static void http_stream_closed(struct wt__h3_conn *conn, struct wt__h3_stream *record, uint64_t wire_code) {
  int error = nghttp3_conn_close_stream(wt__h3_http(conn), record->id, wire_code);
  if (error && error != NGHTTP3_ERR_STREAM_NOT_FOUND) wt__h3_fail_http(conn, error);
  record->role->closed(record);
}

void wt__h3_conn_stream_closed(struct wt__h3_conn *conn, int64_t id, bool has_code, uint64_t wire_code) {
  struct wt__h3_stream *record;
  if (conn->closing) return;
  if (conn->lone_fin_id == id) conn->lone_fin_id = -1;
  if (wt__control_owns(conn, id)) {
    wt__h3_fail(conn, WT__H3_CLOSED_CRITICAL_STREAM, "a critical stream was closed");
    return;
  }
  record = wt__streams_find(conn, id);
  if (!record) return;
  switch (record->kind) {
    case WT__H3_HTTP: http_stream_closed(conn, record, has_code ? wire_code : WT__H3_NO_ERROR); break;
    case WT__H3_WEBTRANSPORT:
      if (record->stream) wt__stream_closed(record->stream);
      break;
    case WT__H3_UNDECIDED:
      if (!IS_UNI(id)) conn->side->recv_nothing(conn, id);
      break;
    case WT__H3_REFUSED: break;
  }
  if (conn->http_has_hints && record->kind != WT__H3_HTTP)
    nghttp3_conn_close_stream(wt__h3_http(conn), id, WT__H3_NO_ERROR);
  wt__streams_remove(record);
}

/* --- Arrivals that concern no one stream --- */

void wt__h3_conn_streams_allowed(struct wt__h3_conn *conn, bool uni) {
  if (conn->closing) return;
  if (!uni) conn->side->streams_allowed(conn);
  wt__mux_streams_allowed(&conn->mux, uni);
}

void wt__h3_conn_max_remote_bidi(struct wt__h3_conn *conn, uint64_t max) {
  if (!conn->closing) conn->side->max_remote_bidi(conn, max);
}

void wt__h3_conn_recv_datagram(struct wt__h3_conn *conn, const uint8_t *data, size_t len, uint64_t now) {
  conn->now = now;
  if (!conn->closing) wt__mux_recv_datagram(&conn->mux, data, len, now);
}
