/* SPDX-License-Identifier: MIT */
/*
 * The CONNECT stream of a session (draft sections 3.2, 5 and 6): the capsules that the peer sends on it, and its end.
 *
 * What is here gets the bytes that h3/connect.c has taken out of their DATA frames.
 */

#include "core/credit.h"
#include "core/qlog_events.h"
#include "core/session.h"
#include "wire/error_code.h"

static void connect_advance(wt_session *session, enum wt__connect_state state) {
  if (session->connect < state) session->connect = state;
}

static void session_recv_capsule(wt_session *session, const struct wt__capsule *capsule) {
  wt__qlog_capsule_received(session, capsule);
  switch (capsule->type) {
    case WT__CAPSULE_CLOSE_SESSION:
      session->close_received = true;
      session->end.has_code = session->end.has_code || !session->ended;
      wt__session_end(session, WT_PEER, capsule->code, capsule->reason, capsule->reason_len, true, 0);
      wt__session_send_fin(session);
      break;
    case WT__CAPSULE_DRAIN_SESSION: wt__session_announce_drain(session); break;
    case WT__CAPSULE_MAX_STREAM_DATA:
    case WT__CAPSULE_STREAM_DATA_BLOCKED:
      wt__session_break(session, WT__H3_MESSAGE_ERROR); /* prohibited over HTTP/3 (section 5.4) */
      break;
    default: (void)wt__credit_recv(session, capsule); break;
  }
}

void wt__session_recv(wt_session *session, const uint8_t *data, size_t len) {
  while (len > 0) {
    struct wt__capsule capsule;
    size_t used = 0;
    if (session->close_received) break;
    switch (wt__capsule_read(&session->reader, data, len, &used, &capsule)) {
      case WT__CAPSULE_MORE: return;
      case WT__CAPSULE_DONE: session_recv_capsule(session, &capsule); break;
      case WT__CAPSULE_MALFORMED: wt__session_break(session, WT__H3_DATAGRAM_ERROR); return;
      case WT__CAPSULE_BAD_CLOSE: wt__session_break(session, WT__H3_MESSAGE_ERROR); return;
      case WT__CAPSULE_NO_MEMORY: wt__session_break(session, WT__H3_INTERNAL_ERROR); return;
    }
    data += used;
    len -= used;
  }
  /* Bytes after the close capsule are an error (section 6). Bytes after a reset of ours are ignored. */
  if (len > 0 && session->end.clean) {
    session->mux->transport->connect_reset(session->mux->ctx, session->id, WT__H3_MESSAGE_ERROR);
  }
}

void wt__session_recv_fin(wt_session *session) {
  if (session->close_received) return;
  if (!wt__capsule_reader_at_boundary(&session->reader)) {
    wt__session_break(session, WT__H3_DATAGRAM_ERROR);
    return;
  }
  session->close_received = true;
  wt__session_end(session, WT_PEER, 0, NULL, 0, true, 0);
  wt__session_send_fin(session);
}

/* A peer may send STOP_SENDING together with its close capsule (section 6). The capsule may be lost and come later than
 * STOP_SENDING. If we ended the session at once, we would lose the code and the reason. */
void wt__session_recv_stop_sending(wt_session *session, uint64_t wire_code) {
  connect_advance(session, WT__CONNECT_STOPPED); /* no FIN of ours will leave, so we wait for none */
  session->stop_code = wire_code;
  if (session->ended) {
    wt__session_todo(session);
  } else if (!wt__link_linked(&session->stopped)) {
    session->stop_until = session->mux->now + WT__SESSION_STOP_NS;
    wt__list_push_back(&session->mux->stopped_sessions, &session->stopped);
    session->mux->transport->wake(session->mux->ctx); /* a new deadline */
  }
}

size_t wt__session_peek(wt_session *session, struct wt__vec *vecs, size_t max_vecs, bool *fin) {
  return wt__sendq_peek(&session->capsules, vecs, max_vecs, SIZE_MAX, fin);
}

void wt__session_sent(wt_session *session, size_t len, bool fin) {
  wt__sendq_sent(&session->capsules, len, fin);
  if (fin) {
    connect_advance(session, WT__CONNECT_FIN_SENT);
    wt__session_todo(session);
  }
}

void wt__session_acked(wt_session *session, uint64_t len) {
  session->capsules_acked += len;
  wt__sendq_acked(&session->capsules, session->capsules_acked, &session->mux->released);
}

void wt__session_connect_closed(wt_session *session) {
  connect_advance(session, WT__CONNECT_CLOSED);
  wt__session_end(session, WT_TRANSPORT, 0, NULL, 0, false, WT__H3_REQUEST_CANCELLED);
  wt__session_todo(session);
}
