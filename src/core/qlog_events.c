/* SPDX-License-Identifier: MIT */

/*
 * What WebTransport adds to the qlog: packets alone do not tell which session a stream belongs to, what a capsule said, or
 * why a datagram never became a packet. Codes are those on the wire, with the application's code beside them if there is
 * one.
 */

#include "core/qlog_events.h"

#include <string.h>

#include "base/usdt.h"
#include "core/qlog.h"
#include "wire/error_code.h"
#include "wire/varint.h"

#define KNOWN_CAPSULE(name) \
  case WT__CAPSULE_##name: return #name

static const char *capsule_name(uint64_t type) {
  switch (type) {
    KNOWN_CAPSULE(CLOSE_SESSION);
    KNOWN_CAPSULE(DRAIN_SESSION);
    KNOWN_CAPSULE(MAX_DATA);
    KNOWN_CAPSULE(MAX_STREAM_DATA);
    KNOWN_CAPSULE(MAX_STREAMS_BIDI);
    KNOWN_CAPSULE(MAX_STREAMS_UNI);
    KNOWN_CAPSULE(DATA_BLOCKED);
    KNOWN_CAPSULE(STREAM_DATA_BLOCKED);
    KNOWN_CAPSULE(STREAMS_BLOCKED_BIDI);
    KNOWN_CAPSULE(STREAMS_BLOCKED_UNI);
    default: return "unknown";
  }
}

static void add_text(struct wt__qlog_record *record, const char *key, const char *text) {
  wt__qlog_record_text(record, key, text, strlen(text));
}

static void add_wire_code(struct wt__qlog_record *record, uint64_t wire_code) {
  const char *name = wt__wire_error_name(wire_code);
  uint32_t code;
  wt__qlog_record_number(record, "wire_code", wire_code);
  if (name) add_text(record, "code_name", name);
  if (wt__error_from_wire(wire_code, &code)) wt__qlog_record_number(record, "code", code);
}

static void session_begin(const wt_session *session, struct wt__qlog_record *record, const char *name) {
  wt__qlog_begin(session->mux->qlog, record, name);
  wt__qlog_record_number(record, "session_id", (uint64_t)session->id);
}

void wt__qlog_session_opened(const wt_session *session) {
  struct wt__qlog_record record;
  WT__USDT(session_open, session->mux->ctx, session->id, session->path, session->draft);
  if (!session->mux->qlog) return;
  session_begin(session, &record, "webtransport:session_opened");
  add_text(&record, "path", session->path);
  wt__qlog_record_number(&record, "draft", (uint64_t)session->draft);
  add_text(&record, "protocol", session->protocol);
  if (session->flow.on) {
    wt__qlog_record_number(&record, "peer_max_data", session->flow.data_out.max);
    wt__qlog_record_number(&record, "peer_max_streams_bidi", session->flow.streams_out[WT_BIDIRECTIONAL].max);
    wt__qlog_record_number(&record, "peer_max_streams_uni", session->flow.streams_out[WT_UNIDIRECTIONAL].max);
  }
  wt__qlog_end(session->mux->qlog, &record);
}

void wt__qlog_session_closed(const wt_session *session) {
  static const char *const parties[] = {[WT_LOCAL] = "local", [WT_PEER] = "peer", [WT_TRANSPORT] = "transport"};
  struct wt__qlog_record record;
  WT__USDT(session_close, session->mux->ctx, session->id, session->end.cause, session->end.code);
  if (!session->mux->qlog) return;
  session_begin(session, &record, "webtransport:session_closed");
  add_text(&record, "path", session->path);
  add_text(&record, "by", parties[session->end.by]);
  if (session->end.clean) {
    wt__qlog_record_number(&record, "code", session->end.code);
    wt__qlog_record_text(&record, "reason", session->end.reason, session->end.reason_len);
  } else {
    add_wire_code(&record, session->end.wire_code);
  }
  wt__qlog_record_number(&record, "streams_opened", session->stats.streams_opened);
  wt__qlog_record_number(&record, "streams_accepted", session->stats.streams_accepted);
  wt__qlog_record_number(&record, "bytes_sent", session->stats.bytes_sent);
  wt__qlog_record_number(&record, "bytes_received", session->stats.bytes_received);
  wt__qlog_record_number(&record, "datagrams_sent", session->stats.datagrams_sent);
  wt__qlog_record_number(&record, "datagrams_received", session->stats.datagrams_received);
  wt__qlog_end(session->mux->qlog, &record);
}

static void stream_begin(const wt_stream *stream, struct wt__qlog_record *record, const char *name) {
  wt__qlog_begin(stream->mux->qlog, record, name);
  wt__qlog_record_number(record, "stream_id", (uint64_t)stream->id);
  if (stream->session_id >= 0) wt__qlog_record_number(record, "session_id", (uint64_t)stream->session_id);
}

void wt__qlog_stream_opened(const wt_stream *stream) {
  struct wt__qlog_record record;
  WT__USDT(stream_open, stream->mux->ctx, stream->id, stream->session_id, stream->remote);
  if (!stream->mux->qlog) return;
  stream_begin(stream, &record, "webtransport:stream_opened");
  add_text(&record, "stream_type", stream->uni ? "unidirectional" : "bidirectional");
  add_text(&record, "owner", stream->remote ? "remote" : "local");
  wt__qlog_end(stream->mux->qlog, &record);
}

void wt__qlog_stream_closed(const wt_stream *stream) {
  struct wt__qlog_record record;
  WT__USDT(stream_close, stream->mux->ctx, stream->id, stream->session_id, stream->receiving.received);
  if (!stream->mux->qlog) return;
  stream_begin(stream, &record, "webtransport:stream_closed");
  wt__qlog_record_number(&record, "bytes_received", stream->receiving.received);
  wt__qlog_end(stream->mux->qlog, &record);
}

void wt__qlog_stream_code(const wt_stream *stream, const char *what, bool by_peer, uint64_t wire_code) {
  struct wt__qlog_record record;
  WT__USDT(stream_reset, stream->mux->ctx, stream->id, stream->session_id, by_peer, wire_code, what);
  if (!stream->mux->qlog) return;
  stream_begin(stream, &record, what);
  add_text(&record, "owner", by_peer ? "remote" : "local");
  add_wire_code(&record, wire_code);
  wt__qlog_end(stream->mux->qlog, &record);
}

void wt__qlog_capsule_received(const wt_session *session, const struct wt__capsule *capsule) {
  struct wt__qlog_record record;
  if (!session->mux->qlog) return;
  session_begin(session, &record, "webtransport:capsule_received");
  add_text(&record, "capsule", capsule_name(capsule->type));
  wt__qlog_record_number(&record, "value", capsule->type == WT__CAPSULE_CLOSE_SESSION ? capsule->code : capsule->value);
  wt__qlog_end(session->mux->qlog, &record);
}

void wt__qlog_capsule_sent(const wt_session *session, const uint8_t *data, size_t len) {
  struct wt__qlog_record record;
  uint64_t type = 0, size = 0, value = 0;
  if (!session->mux->qlog) return;
  size_t at = wt__varint_read(data, len, &type);
  at += wt__varint_read(data + at, len - at, &size);
  session_begin(session, &record, "webtransport:capsule_sent");
  add_text(&record, "capsule", capsule_name(type));
  if (type != WT__CAPSULE_CLOSE_SESSION && wt__varint_read(data + at, len - at, &value))
    wt__qlog_record_number(&record, "value", value);
  wt__qlog_end(session->mux->qlog, &record);
}

void wt__qlog_blocked(const wt_session *session, const char *what, uint64_t limit) {
  struct wt__qlog_record record;
  if (!session->mux->qlog) return;
  session_begin(session, &record, "webtransport:flow_control_blocked");
  add_text(&record, "what", what);
  wt__qlog_record_number(&record, "limit", limit);
  wt__qlog_end(session->mux->qlog, &record);
}

void wt__qlog_datagram_dropped(const struct wt__mux *mux, int64_t session_id, bool received, const char *why) {
  struct wt__qlog_record record;
  WT__USDT(datagram_dropped, mux->ctx, session_id, received, why);
  if (!mux->qlog) return;
  wt__qlog_begin(mux->qlog, &record, "webtransport:datagram_dropped");
  wt__qlog_record_number(&record, "session_id", (uint64_t)session_id);
  add_text(&record, "direction", received ? "received" : "sent");
  add_text(&record, "why", why);
  wt__qlog_end(mux->qlog, &record);
}
