/* SPDX-License-Identifier: MIT */
/*
 * A WebTransport session, from its beginning to its end (draft sections 4.7 and 6). session_connect.c has its CONNECT stream.
 *
 * The end has two sides, and neither waits for the other.
 *
 *   application:  ended --> all streams' on_close --> session's on_close            (close_told)
 *   wire:         capsule and FIN handed to QUIC --> streams reset with             (aborted)
 *                 WT_SESSION_GONE --> CONNECT stream closed --> streams closed --> freed
 *
 * On the wire the order matters. A browser that sees STOP_SENDING or a reset before the close capsule reports neither
 * the code nor the reason. So after a close of ours, the streams are reset only when QUIC has taken the capsule and the
 * FIN.
 *
 * The CONNECT stream may not come to its end. It is then reset after WT__SESSION_LINGER_NS. If the peer has not
 * acknowledged our close capsule by then, it is reset after WT__SESSION_CLOSE_NS at the latest: the reset would make
 * QUIC drop the capsule.
 *
 * A client may use a session before the server has answered (WT__SESSION_ASKED). Its bytes are sent at once. But the
 * application hears of nothing that arrives, and of no end, before the answer: streams wait with the early ones, an
 * ended session in `stuck_sessions`.
 */

#include "core/session.h"

#include <string.h>

#include "base/mem.h"
#include "base/sized.h"
#include "core/credit.h"
#include "core/datagram.h"
#include "core/early.h"
#include "core/qlog_events.h"
#include "core/stream.h"
#include "core/subscription.h"
#include "wire/error_code.h"
#include "wire/utf8.h"

#define WIRE_CODE_MAX ((UINT64_C(1) << 62) - 1) /* what a variable-length integer holds */

static void session_todo_soon(wt_session *session) {
  wt__session_todo(session);
  session->mux->transport->wake(session->mux->ctx);
}

/* --- Beginning --- */

/* What a session counts in the connection's gauge. A client can make path, protocol and reason long. */

static size_t text_size(const char *text) { return text ? wt__mem_size((void *)(uintptr_t)text) : 0; }

static size_t session_size(const wt_session *session) {
  return sizeof(*session) + text_size(session->path) + text_size(session->protocol) + text_size(session->peer_address) +
         text_size(session->end.reason);
}

int wt__mux_session_new(struct wt__mux *mux, int64_t id, const struct wt__session_params *params, wt_session **out) {
  wt_session *session = wt__calloc(1, sizeof(*session));
  if (!session) return WT_ERR_NOMEM;
  session->mux = mux;
  session->id = id;
  session->draft = params->draft;
  session->began_at = mux->now;
  session->start = params->unanswered ? WT__SESSION_ASKED : WT__SESSION_ACCEPTED;
  wt__link_init(&session->link);
  wt__link_init(&session->todo);
  wt__link_init(&session->stopped);
  wt__link_init(&session->datagram_turn);
  wt__link_init(&session->fresh);
  wt__list_init(&session->streams);
  wt__list_init(&session->datagrams);
  wt__list_init(&session->subscriptions);
  wt__list_init(&session->hungry);
  if (mux->config->topics) session->number = ++mux->config->topics->last_session;
  wt__sched_session_init(&session->sched, params->urgency);
  wt__credit_init(session, params->peer_limits);
  wt__sendq_init(&session->capsules, WT__SESSION_CAPSULE_QUEUE_MAX);
  session->capsules.gauge = mux->gauge;
  wt__capsule_reader_init(&session->reader);
  session->path = wt__strdup(params->path);
  session->protocol = wt__strdup(params->protocol);
  session->peer_address = wt__strdup(params->peer_address);
  wt__gauge_add(mux->gauge, session_size(session));
  if (!session->path || !session->protocol || !session->peer_address ||
      wt__map_set(&mux->sessions, (uint64_t)id, session) != 0) {
    wt__session_free(session);
    return WT_ERR_NOMEM;
  }
  if (params->callbacks) session->callbacks = *params->callbacks;
  session->user_data = params->user_data;
  wt__list_push_back(&mux->session_list, &session->link);
  if (mux->sessions_open++ == 0) mux->transport->set_keep_alive(mux->ctx, true);
  session_todo_soon(session);
  *out = session;
  return 0;
}

void wt__mux_session_undo(wt_session *session) {
  struct wt__mux *mux = session->mux;
  if (--mux->sessions_open == 0) mux->transport->set_keep_alive(mux->ctx, false);
  wt__session_free(session);
}

void wt__session_free(wt_session *session) {
  wt__list_remove(&session->link);
  wt__list_remove(&session->todo);
  wt__list_remove(&session->stopped);
  wt__list_remove(&session->fresh);
  if (wt__map_get(&session->mux->sessions, (uint64_t)session->id) == session) {
    wt__map_remove(&session->mux->sessions, (uint64_t)session->id);
  }
  wt__sendq_drop(&session->capsules, &session->mux->released);
  wt__gauge_remove(session->mux->gauge, session_size(session));
  wt__capsule_reader_free(&session->reader);
  wt__free((char *)session->end.reason);
  wt__free(session->path);
  wt__free(session->protocol);
  wt__free(session->peer_address);
  if (session->message) session->message_release(session->message);
  if (atomic_load(&session->posts) == 0) {
    wt__free(session);
  } else {
    session->freed = true;
  }
}

/* --- The message that made the session --- */

void wt__session_set_message(wt_session *session, void *message, void (*release)(void *message)) {
  session->message = message;
  session->message_release = release;
}

const void *wt__session_message(const wt_session *session) { return session->message; }

/* --- Calls that other threads post --- */

int wt_session_post(wt_session *session, void (*function)(wt_session *session, void *argument), void *argument) {
  if (!session || !function) return WT_ERR_INVALID;
  const struct wt__mux_config *config = session->mux->config;
  if (!config->post) return WT_ERR_UNSUPPORTED;
  atomic_fetch_add(&session->posts, 1);
  int error = config->post(config->post_ctx, session, function, argument);
  if (error) atomic_fetch_sub(&session->posts, 1);
  return error;
}

void wt__session_posted(wt_session *session, wt__session_function function, void *argument) {
  function(session->close_told ? NULL : session, argument);
  if (atomic_fetch_sub(&session->posts, 1) == 1 && session->freed) wt__free(session);
}

uint64_t wt__session_number(const wt_session *session) { return session->number; }

unsigned wt_session_worker(const wt_session *session) { return session ? session->mux->config->worker : 0; }

/* --- While it is open --- */

void wt__session_announce_drain(wt_session *session) {
  if (session->drain == WT__DRAIN_NONE) session->drain = WT__DRAIN_DUE;
  wt__session_todo(session);
}

void wt__session_set_urgency(wt_session *session, unsigned urgency) {
  struct wt__mux *mux = session->mux;
  wt__sched_session_move(&mux->sched, &session->sched, urgency);
  if (!wt__link_linked(&session->datagram_turn)) return;
  wt__list_remove(&session->datagram_turn);
  wt__ring_add(&mux->datagram_sessions, &session->datagram_turn, session->sched.urgency);
}

/* --- The answer to a client --- */

int wt__session_set_protocol(wt_session *session, const char *protocol) {
  char *copy = wt__strdup(protocol);
  if (!copy) return WT_ERR_NOMEM;
  wt__gauge_remove(session->mux->gauge, text_size(session->protocol));
  wt__gauge_add(session->mux->gauge, text_size(copy));
  wt__free(session->protocol);
  session->protocol = copy;
  return 0;
}

void wt__session_answered(wt_session *session) {
  if (session->start != WT__SESSION_ASKED) return;
  session->start = WT__SESSION_ACCEPTED;
  if (session->ended) {
    wt__list_remove(&session->link);
    wt__list_push_back(&session->mux->ended_sessions, &session->link);
  }
  WT__LIST_FOREACH(it, next, &session->streams) { wt__stream_todo(WT__CONTAINER_OF(it, struct wt_stream, link)); }
  session_todo_soon(session);
}

void wt__session_refused(wt_session *session, enum wt_party by, uint64_t wire_code) {
  wt__session_end(session, by, 0, NULL, 0, false, wire_code);
  wt__session_answered(session);
  wt__session_tell(session);
}

void wt__session_refused_by_end(wt_session *session, const struct wt__ending *ending) {
  wt__session_end_connection(session, ending);
  wt__session_answered(session);
  wt__session_tell(session);
}

/* --- End --- */

static void session_measure(const wt_session *session) {
  const struct wt__mux *mux = session->mux;
  struct wt__measures *measures = mux->config->measures;
  if (measures) wt__measures_session(measures, session->draft, session->end.cause, mux->now - session->began_at);
}

void wt__session_tell(wt_session *session) {
  struct wt_close_info info = session->end;
  if (session->close_told) return;
  WT__LIST_FOREACH(it, next, &session->streams) {
    wt__stream_tell_session_gone(WT__CONTAINER_OF(it, struct wt_stream, link));
  }
  session->close_told = true;
  session_measure(session);
  if (!info.reason) info.reason = "";
  if (session->callbacks.on_close) session->callbacks.on_close(session, &info, session->user_data);
  if (session->mux->config->session_ended) session->mux->config->session_ended(session, &info);
}

static void session_abort_streams(wt_session *session) {
  session->aborted = true;
  WT__LIST_FOREACH(it, next, &session->streams) {
    struct wt_stream *stream = WT__CONTAINER_OF(it, struct wt_stream, link);
    wt__stream_abort(stream, WT__WT_SESSION_GONE);
    wt__stream_todo(stream);
  }
}

/* Whether our close capsule was queued, is not acknowledged, and may still arrive. */
static bool session_close_in_flight(const wt_session *session) {
  return session->end.clean && session->connect < WT__CONNECT_STOPPED &&
         session->capsules_acked < session->capsules.end;
}

/* Sets the deadline, or puts it off while our close capsule is in flight. The new deadline is the latest of all, so the
 * list stays sorted. */
static void session_linger(wt_session *session, uint64_t now) {
  struct wt__list *list = &session->mux->ended_sessions;
  if (session->linger_until == 0) {
    session->close_until = now + WT__SESSION_CLOSE_NS;
  } else if (now < session->linger_until || now >= session->close_until || !session_close_in_flight(session)) {
    return;
  }
  session->linger_until = now + WT__SESSION_LINGER_NS;
  wt__list_remove(&session->link);
  wt__list_push_back(list, &session->link);
}

static void session_run_ended(wt_session *session, uint64_t now) {
  struct wt__mux *mux = session->mux;
  wt__session_tell(session);
  session_linger(session, now);
  if (!session->aborted &&
      (session->connect >= WT__CONNECT_FIN_SENT || !session->end.clean || now >= session->linger_until)) {
    session_abort_streams(session);
  }
  if (now >= session->linger_until) { /* also if it waits for its streams only, which have no deadline */
    session->linger_until = UINT64_MAX;
    wt__list_remove(&session->link);
    wt__list_push_back(&mux->stuck_sessions, &session->link);
    if (session->connect != WT__CONNECT_CLOSED)
      mux->transport->connect_reset(mux->ctx, session->id, WT__WT_SESSION_GONE);
  }
  if (session->connect == WT__CONNECT_CLOSED && session->aborted && wt__list_empty(&session->streams)) {
    int64_t id = session->id;
    wt__session_free(session);
    mux->transport->session_closed(mux->ctx, id);
  }
}

void wt__session_run(wt_session *session, uint64_t now) {
  if (session->start == WT__SESSION_ASKED) return;
  if (session->start == WT__SESSION_ACCEPTED) {
    session->start = WT__SESSION_STARTED;
    session->began_at = now; /* that of the mux may have been old */
    wt__qlog_session_opened(session);
    wt__credit_begin(session);
    wt__early_deliver(session->mux, session);
  }
  if (wt__link_linked(&session->stopped) && now >= session->stop_until) {
    wt__session_recv_reset(session, session->stop_code);
  }
  if (session->drain == WT__DRAIN_DUE && !session->ended) {
    session->drain = WT__DRAIN_TOLD;
    if (session->callbacks.on_drain) session->callbacks.on_drain(session, session->user_data);
  }
  for (int kind = WT_BIDIRECTIONAL; kind <= WT_UNIDIRECTIONAL; kind++) {
    if (!session->credit_pending[kind] || session->ended) continue;
    session->credit_pending[kind] = false;
    bool unasked = kind == WT_UNIDIRECTIONAL && session->credit_unasked;
    if (kind == WT_UNIDIRECTIONAL) session->credit_unasked = false;
    if (!unasked && session->callbacks.on_stream_credit) {
      session->callbacks.on_stream_credit(session, (enum wt_stream_kind)kind, session->user_data);
    }
  }
  if (!wt__list_empty(&session->hungry)) wt__subscriptions_run(session);
  wt__datagram_size_run(session);
  wt__credit_run(session);
  if (session->ended) session_run_ended(session, now);
}

/* --- What the application calls --- */

int wt_session_set_callbacks(wt_session *session, const struct wt_session_callbacks *callbacks, void *user_data) {
  if (!session) return WT_ERR_INVALID;
  int error = wt__sized_read_table(&session->callbacks, sizeof(session->callbacks), callbacks, sizeof(*callbacks));
  if (!error) session->user_data = user_data;
  return error;
}

int wt_session_set_stream_callbacks(wt_session *session, const struct wt_stream_callbacks *callbacks, void *user_data) {
  if (!session) return WT_ERR_INVALID;
  int error = wt__sized_read_table(&session->stream_callbacks, sizeof(session->stream_callbacks), callbacks,
                                   sizeof(*callbacks));
  if (error) return error;
  session->stream_user_data = user_data;
  session->has_stream_callbacks = callbacks != NULL;
  return 0;
}

void *wt_session_user_data(const wt_session *session) { return session ? session->user_data : NULL; }
int64_t wt_session_id(const wt_session *session) { return session ? session->id : 0; }
const char *wt_session_path(const wt_session *session) { return session ? session->path : ""; }
const char *wt_session_protocol(const wt_session *session) { return session ? session->protocol : ""; }
int wt_session_draft(const wt_session *session) { return session ? session->draft : 0; }
const char *wt_session_peer_address(const wt_session *session) { return session ? session->peer_address : ""; }

static int session_open(wt_session *session, bool uni, wt_stream **stream) {
  if (!stream) return WT_ERR_INVALID;
  *stream = NULL;
  if (!session) return WT_ERR_INVALID;
  int error = wt__stream_open(session, uni, stream);
  if (error == WT_ERR_STREAM_LIMIT && uni) session->credit_unasked = false;
  return error;
}

int wt_session_open_bidi(wt_session *session, wt_stream **stream) { return session_open(session, false, stream); }
int wt_session_open_uni(wt_session *session, wt_stream **stream) { return session_open(session, true, stream); }

/* A NUL would cut the reason for everybody who reads it as a string. */
static bool reason_valid(const char *reason, size_t len) {
  return len == 0 || (reason && !memchr(reason, '\0', len) && wt__utf8_valid(reason, len));
}

int wt_session_close(wt_session *session, uint32_t code, const char *reason, size_t reason_len) {
  uint8_t capsule[WT__CAPSULE_WRITE_MAX];
  size_t cut = 0;
  if (!session || !reason_valid(reason, reason_len)) return WT_ERR_INVALID;
  if (session->ended) return 0;
  if (reason_len > 0) cut = wt__utf8_cut(reason, reason_len, WT__CLOSE_REASON_MAX);
  session->end.has_code = true;
  wt__session_end(session, WT_LOCAL, code, reason, cut, true, 0);
  wt__session_send_capsule(session, capsule, wt__capsule_write_close(capsule, code, reason, cut));
  wt__session_send_fin(session);
  return 0;
}

int wt__leave_check(uint64_t wire_code, const char *reason, size_t reason_len, char text[WT__LEAVE_REASON_MAX + 1]) {
  size_t cut = 0;
  if (wire_code > WIRE_CODE_MAX || !reason_valid(reason, reason_len)) return WT_ERR_INVALID;
  if (reason_len > 0) {
    cut = wt__utf8_cut(reason, reason_len, WT__LEAVE_REASON_MAX);
    memcpy(text, reason, cut);
  }
  text[cut] = '\0';
  return 0;
}

int wt_session_close_connection(wt_session *session, uint64_t wire_code, const char *reason, size_t reason_len) {
  char text[WT__LEAVE_REASON_MAX + 1];
  int error = session ? wt__leave_check(wire_code, reason, reason_len, text) : WT_ERR_INVALID;
  if (!error) session->mux->transport->leave_connection(session->mux->ctx, wire_code, text);
  return error;
}

void wt_session_drain(wt_session *session) {
  uint8_t capsule[WT__CAPSULE_WRITE_MAX];
  if (!session || session->ended || session->drain_sent) return;
  session->drain_sent = true;
  wt__session_send_capsule(session, capsule, wt__capsule_write_drain(capsule));
}

int wt_session_get_stats(const wt_session *session, struct wt_session_stats *stats) {
  if (!session) return WT_ERR_INVALID;
  struct wt_session_stats all = session->stats;
  struct wt__path_stats path = {0};
  session->mux->transport->path_stats(session->mux->ctx, &path);
  all.datagram_queue_delay_us = session->datagram_delay / WT__NS_PER_US;
  all.max_datagram_queue_delay_us = session->datagram_delay_max / WT__NS_PER_US;
  all.smoothed_rtt_us = path.smoothed_rtt_us;
  all.rtt_variation_us = path.rtt_variation_us;
  all.min_rtt_us = path.min_rtt_us;
  all.packets_sent = path.packets_sent;
  all.packets_received = path.packets_received;
  all.connection_bytes_sent = path.bytes_sent;
  all.connection_bytes_received = path.bytes_received;
  all.bytes_in_flight = path.bytes_in_flight;
  if (path.smoothed_rtt_us > 0) {
    all.estimated_send_rate = (uint64_t)((double)path.congestion_window * 8e6 / (double)path.smoothed_rtt_us);
  }
  return wt__sized_give(stats, &all, sizeof(all), sizeof(all));
}
