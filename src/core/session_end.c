/* SPDX-License-Identifier: MIT */
/*
 * The moment in which a session ends, and the reasons for it that do not come from the application.
 *
 * A session may have to end anywhere: while bytes of the peer are counted, while a capsule is read, between the pieces
 * of a packet. So the functions here change only its state. They do not touch its streams or call the application:
 * `wt__mux_run` does that later, in session.c. For the same reason this file calls no other file of core that could
 * call it back.
 *
 * `wt__session_send_capsule` is here because it ends the session when the peer does not read its capsules, and
 * `wt__session_send_fin` is beside it.
 */

#include "base/mem.h"
#include "core/datagram.h"
#include "core/qlog_events.h"
#include "core/session.h"
#include "core/subscription.h"
#include "wire/error_code.h"

void wt__session_end(wt_session *session, enum wt_party by, uint32_t code, const char *reason, size_t reason_len,
                     bool clean, uint64_t wire_code) {
  struct wt__mux *mux = session->mux;
  const char *name = wt__wire_error_name(wire_code);
  if (session->ended) return;
  session->ended = true;
  session->end.by = by;
  session->end.code = code;
  session->end.clean = clean;
  session->end.wire_code = wire_code;
  session->end.cause = wt__party_cause(by);
  session->end.wire_is_h3 = !clean;
  session->end.message = by == WT_TRANSPORT && name ? name : "";
  session->end.reason = wt__strndup(reason ? reason : "", reason ? reason_len : 0);
  session->end.reason_len = session->end.reason ? reason_len : 0;
  if (session->end.reason) wt__gauge_add(mux->gauge, wt__mem_size((void *)(uintptr_t)session->end.reason));
  wt__qlog_session_closed(session);
  if (--mux->sessions_open == 0) mux->transport->set_keep_alive(mux->ctx, false);
  wt__past_add_id(&mux->past, session->id);
  wt__datagrams_drop_session(session);
  wt__subscriptions_drop(session);
  wt__list_remove(&session->stopped);
  wt__list_remove(&session->link);
  /* One without an answer has no deadline: the answer, or the connection's end, goes on with it. */
  wt__list_push_back(session->start == WT__SESSION_ASKED ? &mux->stuck_sessions : &mux->ended_sessions, &session->link);
  wt__session_todo(session);
  mux->transport->wake(mux->ctx);
}

void wt__session_end_connection(wt_session *session, const struct wt__ending *ending) {
  bool first = !session->ended;
  wt__session_end(session, wt__cause_party(ending->cause), 0, NULL, 0, false, ending->wire_code);
  if (!first) return;
  session->end.cause = ending->cause;
  session->end.connection = true;
  session->end.wire_is_h3 = ending->is_h3;
  session->end.message = ending->message;
}

void wt__session_break(wt_session *session, uint64_t wire_code) {
  session->close_received = true;
  wt__session_end(session, WT_TRANSPORT, 0, NULL, 0, false, wire_code);
  session->mux->transport->connect_reset(session->mux->ctx, session->id, wire_code);
}

void wt__session_recv_reset(wt_session *session, uint64_t wire_code) {
  session->close_received = true;
  wt__session_end(session, WT_PEER, 0, NULL, 0, false, wire_code);
  session->mux->transport->connect_reset(session->mux->ctx, session->id, WT__H3_REQUEST_CANCELLED);
}

void wt__session_send_fin(wt_session *session) {
  session->capsules.fin = true;
  session->mux->transport->connect_wake(session->mux->ctx, session->id);
}

void wt__session_send_capsule(wt_session *session, const uint8_t *data, size_t len) {
  size_t taken;
  wt__qlog_capsule_sent(session, data, len);
  if (wt__sendq_room(&session->capsules) < len) {
    wt__session_end(session, WT_TRANSPORT, 0, NULL, 0, false, WT__H3_EXCESSIVE_LOAD);
    session->mux->transport->connect_reset(session->mux->ctx, session->id, WT__H3_EXCESSIVE_LOAD);
    return;
  }
  (void)wt__sendq_append(&session->capsules, data, len, true, &taken);
  if (taken < len) {
    session->mux->transport->close_connection(session->mux->ctx, WT__H3_INTERNAL_ERROR, "out of memory");
    return;
  }
  session->mux->transport->connect_wake(session->mux->ctx, session->id);
}
