/* SPDX-License-Identifier: MIT */
/*
 * Applies the arithmetic of flow.c to the streams of a session.
 *
 * Receiving. A byte counts when it arrives, and a stream counts when its header arrives. Early streams and their bytes
 * count when their session starts. A stream that was reset counts with its final size, which QUIC reports: both ends
 * know this number, even if bytes were lost. Credit for bytes is given back when the application has read them, or
 * will not read them. Credit for a stream is given back when both of its directions are closed.
 *
 * Refused streams. The peer has opened them and sent bytes, so it counts them. The application never sees them. If
 * their session starts later, their credit is counted and given back at once. past.c keeps the numbers until then.
 *
 * Sending. A stream that has bytes but no credit is parked: it leaves the scheduler for a list of its session, until a
 * capsule of the peer brings credit. The stream's header needs no credit, nor does a FIN after bytes that were all
 * sent.
 *
 * Capsules are written only in `wt__credit_run`. Credit is counted while bytes arrive and while packets are written,
 * and a full capsule queue must not end the session there.
 */

#include "core/credit.h"
#include "core/qlog_events.h"

#include <string.h>

#include "core/session.h"
#include "wire/error_code.h"

static bool credit_on(const wt_session *session) { return session->flow.on && !session->ended; }

static void credit_todo(wt_session *session) {
  wt__session_todo(session);
  session->mux->transport->wake(session->mux->ctx);
}

static bool credit_overrun(wt_session *session) {
  wt__session_break(session, WT__WT_FLOW_CONTROL_ERROR);
  return false;
}

/* --- Refused streams --- */

void wt__credit_refused(struct wt__mux *mux, int64_t session_id, bool uni, uint64_t streams, uint64_t bytes) {
  wt_session *session = wt__map_get(&mux->sessions, (uint64_t)session_id);
  if (!wt__flow_wanted(&mux->config->flow.initial)) return;
  if (!session) {
    wt__past_add_refused(&mux->past, session_id, uni, streams, bytes);
    return;
  }
  if (!credit_on(session)) return;
  for (uint64_t i = 0; i < streams; i++) {
    if (wt__credit_stream_opened(session, uni)) wt__credit_stream_closed(session, uni);
  }
  if (bytes > 0 && wt__credit_received(session, bytes)) wt__credit_consumed(session, bytes);
}

void wt__credit_begin(wt_session *session) {
  struct wt__mux *mux = session->mux;
  struct wt__refused_credit refused;
  if (!wt__past_take_refused(&mux->past, session->id, &refused)) return;
  wt__credit_refused(mux, session->id, false, refused.streams[WT_BIDIRECTIONAL], refused.bytes);
  wt__credit_refused(mux, session->id, true, refused.streams[WT_UNIDIRECTIONAL], 0);
}

/* --- Beginning --- */

void wt__credit_init(wt_session *session, const struct wt__flow_limits *peer) {
  const struct wt__flow_windows *windows = &session->mux->config->flow;
  struct wt__session_flow *flow = &session->flow;
  uint64_t now = session->mux->now;
  wt__list_init(&flow->parked);
  flow->on = peer && wt__flow_wanted(peer) && wt__flow_wanted(&windows->initial);
  if (!flow->on) return;
  wt__flow_out_init(&flow->data_out, peer->data);
  wt__flow_in_init(&flow->data_in, windows->initial.data, windows->max_data, WT__FLOW_MAX_DATA, 0, now);
  for (int uni = 0; uni < 2; uni++) {
    uint64_t streams = windows->initial.streams[uni];
    wt__flow_out_init(&flow->streams_out[uni], peer->streams[uni]);
    wt__flow_in_init(&flow->streams_in[uni], streams, streams, WT__FLOW_MAX_STREAMS, 1, now);
  }
}

/* --- Receiving --- */

bool wt__credit_stream_opened(wt_session *session, bool uni) {
  if (!credit_on(session)) return true;
  return wt__flow_in_use(&session->flow.streams_in[uni], 1) || credit_overrun(session);
}

bool wt__credit_received(wt_session *session, uint64_t len) {
  if (!credit_on(session)) return true;
  return wt__flow_in_use(&session->flow.data_in, len) || credit_overrun(session);
}

void wt__credit_consumed(wt_session *session, uint64_t len) {
  if (!credit_on(session)) return;
  wt__flow_in_return(&session->flow.data_in, len);
  if (wt__flow_in_due(&session->flow.data_in)) credit_todo(session);
}

void wt__credit_stream_closed(wt_session *session, bool uni) {
  if (!credit_on(session)) return;
  wt__flow_in_return(&session->flow.streams_in[uni], 1);
  if (wt__flow_in_due(&session->flow.streams_in[uni])) credit_todo(session);
}

/* --- Sending --- */

bool wt__credit_open(wt_session *session, bool uni) {
  struct wt__flow_out *streams = &session->flow.streams_out[uni];
  if (!session->flow.on) return true;
  if (wt__flow_out_room(streams) > 0) {
    wt__flow_out_use(streams, 1);
    return true;
  }
  session->wants_credit[uni] = true;
  if (wt__flow_out_blocked(streams)) {
    session->flow.tell_streams_blocked[uni] = true;
    wt__qlog_blocked(session, uni ? "streams_uni" : "streams_bidi", streams->max);
    credit_todo(session);
  }
  return false;
}

void wt__credit_open_undo(wt_session *session, bool uni) {
  if (session->flow.on) wt__flow_out_undo(&session->flow.streams_out[uni], 1);
}

static uint64_t credit_left(const wt_stream *stream) {
  return wt__sending_header_left(&stream->sending) + wt__flow_out_room(&stream->session->flow.data_out);
}

bool wt__credit_limit(const wt_stream *stream, struct wt__send *send) {
  uint64_t left;
  if (!stream->session || !stream->session->flow.on) return true;
  left = credit_left(stream);
  for (size_t i = 0; i < send->count; i++) {
    if (send->vecs[i].len <= left) {
      left -= send->vecs[i].len;
      continue;
    }
    send->vecs[i].len = (size_t)left;
    send->count = left > 0 ? i + 1 : i;
    send->fin = false;
    return send->count > 0;
  }
  return true;
}

bool wt__credit_has_byte(const wt_stream *stream) {
  if (stream->sending.queue.sent > stream->sending.header_len || !stream->session || !stream->session->flow.on)
    return true;
  return wt__flow_out_room(&stream->session->flow.data_out) > 0;
}

void wt__credit_sent(wt_session *session, uint64_t len) {
  if (session->flow.on) wt__flow_out_use(&session->flow.data_out, len);
}

void wt__credit_park(wt_stream *stream) {
  wt_session *session = stream->session;
  wt__sched_remove(&stream->sched);
  if (!wt__link_linked(&stream->parked)) wt__list_push_back(&session->flow.parked, &stream->parked);
  if (wt__flow_out_blocked(&session->flow.data_out)) {
    session->flow.tell_data_blocked = true;
    wt__qlog_blocked(session, "data", session->flow.data_out.max);
    credit_todo(session);
  }
}

static void credit_unpark_all(wt_session *session) {
  struct wt__link *first;
  while ((first = wt__list_first(&session->flow.parked))) {
    wt__list_remove(first);
    wt__sched_add(&session->mux->sched, &WT__CONTAINER_OF(first, struct wt_stream, parked)->sched);
  }
  session->mux->transport->wake(session->mux->ctx);
}

/* --- Capsules --- */

static bool credit_recv_max_streams(wt_session *session, bool uni, uint64_t max) {
  if (max > WT__FLOW_MAX_STREAMS || !wt__flow_out_raise(&session->flow.streams_out[uni], max)) {
    return credit_overrun(session);
  }
  if (session->wants_credit[uni]) {
    session->wants_credit[uni] = false;
    session->credit_pending[uni] = true;
    wt__session_todo(session);
  }
  return true;
}

bool wt__credit_recv(wt_session *session, const struct wt__capsule *capsule) {
  if (!credit_on(session)) return true; /* to be ignored (section 5.1) */
  switch (capsule->type) {
    case WT__CAPSULE_MAX_DATA:
      if (!wt__flow_out_raise(&session->flow.data_out, capsule->value)) return credit_overrun(session);
      credit_unpark_all(session);
      return true;
    case WT__CAPSULE_MAX_STREAMS_BIDI: return credit_recv_max_streams(session, false, capsule->value);
    case WT__CAPSULE_MAX_STREAMS_UNI: return credit_recv_max_streams(session, true, capsule->value);
    case WT__CAPSULE_STREAMS_BLOCKED_BIDI:
    case WT__CAPSULE_STREAMS_BLOCKED_UNI: return capsule->value <= WT__FLOW_MAX_STREAMS || credit_overrun(session);
    default: return true; /* DATA_BLOCKED: nothing waits for it (section 5.6) */
  }
}

static void credit_send(wt_session *session, enum wt__capsule_type type, uint64_t value) {
  uint8_t capsule[WT__CAPSULE_WRITE_MAX];
  if (session->ended) return;
  wt__session_send_capsule(session, capsule, wt__capsule_write_varint(capsule, type, value));
}

void wt__credit_run(wt_session *session) {
  static const enum wt__capsule_type max_streams[] = {WT__CAPSULE_MAX_STREAMS_BIDI, WT__CAPSULE_MAX_STREAMS_UNI};
  static const enum wt__capsule_type streams_blocked[] = {WT__CAPSULE_STREAMS_BLOCKED_BIDI,
                                                          WT__CAPSULE_STREAMS_BLOCKED_UNI};
  struct wt__session_flow *flow = &session->flow;
  if (!credit_on(session)) return;
  if (wt__flow_in_due(&flow->data_in)) {
    struct wt__path_stats path = {0};
    /* Under pressure the round-trip time stays 0, and the window does not grow. */
    if (wt__gauge_pressure(wt__gauge_sum_of(session->mux->gauge)) == WT__PRESSURE_NONE)
      session->mux->transport->path_stats(session->mux->ctx, &path);
    credit_send(session, WT__CAPSULE_MAX_DATA,
                wt__flow_in_extend(&flow->data_in, session->mux->now, path.smoothed_rtt_us * 1000));
  }
  if (flow->tell_data_blocked) {
    flow->tell_data_blocked = false;
    credit_send(session, WT__CAPSULE_DATA_BLOCKED, flow->data_out.blocked_at);
  }
  for (int uni = 0; uni < 2; uni++) {
    if (wt__flow_in_due(&flow->streams_in[uni])) {
      credit_send(session, max_streams[uni], wt__flow_in_extend(&flow->streams_in[uni], session->mux->now, 0));
    }
    if (flow->tell_streams_blocked[uni]) {
      flow->tell_streams_blocked[uni] = false;
      credit_send(session, streams_blocked[uni], flow->streams_out[uni].blocked_at);
    }
  }
}
