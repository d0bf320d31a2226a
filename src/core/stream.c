/* SPDX-License-Identifier: MIT */
/*
 * A WebTransport stream (draft sections 4.2 to 4.4): its beginning, its callbacks and its end.
 *
 * The stream's two parts are in stream_recv.c and stream_send.c. They hold bytes and states in receiving.c and
 * sending.c, count the session's credit, and call the transport.
 *
 * A call of the application never calls back. It changes the state, puts the stream on the list `mux->todo_streams`
 * and wakes the connection. `wt__stream_run` makes the callbacks later.
 */

#include "core/stream.h"

#include "base/sized.h"
#include "core/credit.h"
#include "core/qlog_events.h"
#include "core/session.h"
#include "core/stream_recv.h"
#include "core/stream_send.h"
#include "core/stream_state.h"
#include "wire/error_code.h"
#include "wire/stream_header.h"

wt_stream *wt__stream_alloc(struct wt__mux *mux, int64_t id, bool uni, bool remote) {
  wt_stream *stream = wt__pool_take_zeroed(mux->config->pool, sizeof(*stream));
  if (!stream) return NULL;
  stream->mux = mux;
  stream->id = id;
  stream->session_id = -1;
  stream->uni = uni;
  stream->remote = remote;
  wt__link_init(&stream->link);
  wt__link_init(&stream->parked);
  wt__link_init(&stream->todo);
  wt__progress_init(&stream->progress);
  wt__sending_init(&stream->sending, !uni || !remote, mux->config->max_stream_send_buffer);
  wt__receiving_init(&stream->receiving, !uni || remote);
  stream->sending.queue.pool = mux->config->pool;
  stream->sending.queue.gauge = mux->gauge;
  stream->receiving.kept.gauge = mux->gauge;
  wt__gauge_add(mux->gauge, sizeof(*stream));
  return stream;
}

void wt__stream_free(wt_stream *stream) {
  wt__stream_discard_kept(stream);
  wt__list_remove(&stream->link);
  wt__list_remove(&stream->parked);
  wt__list_remove(&stream->todo);
  wt__progress_forget(&stream->mux->sending, &stream->progress);
  wt__sched_leave(&stream->sched);
  wt__sendq_drop(&stream->sending.queue, &stream->mux->released);
  wt__gauge_remove(stream->mux->gauge, sizeof(*stream));
  wt__pool_give(stream->mux->config->pool, stream, sizeof(*stream));
}

/* --- Beginning --- */

/* The callbacks that the session has for all its streams. The application may set others later. */
static void stream_set_defaults(wt_stream *stream) {
  const wt_session *session = stream->session;
  if (!session->has_stream_callbacks) return;
  stream->callbacks = session->stream_callbacks;
  stream->user_data = session->stream_user_data;
  stream->has_callbacks = true;
}

int wt__stream_open(wt_session *session, bool uni, wt_stream **out) {
  struct wt__mux *mux = session->mux;
  uint8_t header[WT__STREAM_HEADER_MAX];
  wt_stream *stream;
  *out = NULL;
  if (session->ended) return WT_ERR_CLOSED;
  if (!wt__credit_open(session, uni)) return WT_ERR_STREAM_LIMIT;
  stream = wt__stream_alloc(mux, -1, uni, false);
  if (!stream) {
    wt__credit_open_undo(session, uni);
    return WT_ERR_NOMEM;
  }
  int error = wt__sending_add_header(&stream->sending, header, wt__stream_header_write(header, uni, session->id));
  if (!error) error = mux->transport->open_stream(mux->ctx, uni, &stream->id);
  if (error) {
    if (error == WT_ERR_STREAM_LIMIT) session->wants_credit[uni] = true;
    wt__credit_open_undo(session, uni);
    wt__stream_free(stream);
    return error;
  }
  stream->session = session;
  stream->session_id = session->id;
  stream_set_defaults(stream);
  wt__list_push_back(&session->streams, &stream->link);
  wt__sched_join(&stream->sched, &session->sched);
  /* When the peer allows more streams, sessions that have waited longer are told first. */
  wt__list_remove(&session->link);
  wt__list_push_back(&mux->session_list, &session->link);
  session->stats.streams_opened++;
  session->stats.streams_open++;
  wt__qlog_stream_opened(stream);
  wt__stream_make_ready(stream);
  *out = stream;
  return 0;
}

void wt__stream_attach(wt_stream *stream, wt_session *session) {
  wt__list_remove(&stream->link);
  if (!wt__credit_stream_opened(session, stream->uni) || !wt__credit_received(session, stream->receiving.received)) {
    wt__stream_refuse(stream, WT__WT_SESSION_GONE);
    return;
  }
  stream->session = session;
  stream->deadline = 0;
  wt__list_push_back(&session->streams, &stream->link);
  wt__sched_join(&stream->sched, &session->sched);
  if (stream->closed) wt__credit_stream_closed(session, stream->uni);
  session->stats.bytes_received += stream->receiving.received;
  session->stats.streams_accepted++;
  wt__qlog_stream_opened(stream);
  session->stats.streams_open++;
  stream_set_defaults(stream);
  if (session->callbacks.on_stream) session->callbacks.on_stream(session, stream, session->user_data);
  if (session->callbacks.on_stream || stream->has_callbacks) {
    wt__stream_todo(stream);
    return;
  }
  /* The application does not take streams. */
  stream->close_told = true;
  session->stats.streams_open--;
  wt__stream_abort(stream, wt__error_to_wire(0));
  wt__stream_todo(stream); /* QUIC may have closed it already */
}

void wt__stream_refuse(wt_stream *stream, uint64_t wire_code) {
  wt__list_remove(&stream->link);
  wt__list_push_back(&stream->mux->refused_streams, &stream->link);
  wt__sched_leave(&stream->sched);
  stream->session = NULL;
  stream->close_told = true;
  wt__qlog_stream_code(stream, "webtransport:stream_refused", false, wire_code);
  wt__stream_abort(stream, wire_code);
  wt__stream_todo(stream);
}

void wt__stream_abort(wt_stream *stream, uint64_t wire_code) {
  if (stream->closed) return;
  if (wt__stream_stop(stream)) {
    wt__qlog_stream_code(stream, "webtransport:stream_stopped", false, wire_code);
    stream->mux->transport->stop_sending(stream->mux->ctx, stream->id, wire_code);
  }
  wt__stream_reset_on_wire(stream, wire_code);
}

/* --- End --- */

void wt__stream_tell_session_gone(wt_stream *stream) {
  const wt_session *session = stream->session;
  struct wt_stream_error error = {
      .by = session->end.by,
      .has_code = session->end.has_code,
      .session_gone = true,
      .code = session->end.code,
      .wire_code = session->end.clean ? WT__WT_SESSION_GONE : session->end.wire_code,
  };
  wt__stream_tell_close(stream, &error);
}

void wt__stream_closed(wt_stream *stream) {
  stream->closed = true;
  wt__qlog_stream_closed(stream);
  wt__sending_closed(&stream->sending);
  if (stream->remote && stream->session) wt__credit_stream_closed(stream->session, stream->uni);
  wt__stream_make_unready(stream);
  wt__sendq_drop(&stream->sending.queue, &stream->mux->released);
  wt__stream_todo(stream);
}

void wt__stream_run(wt_stream *stream) {
  struct wt__receiving *receiving = &stream->receiving;
  struct wt__sending *sending = &stream->sending;
  bool held = wt__stream_waits_for_answer(stream);
  wt__stream_deliver_kept(stream);
  if (receiving->state == WT__RECEIVING_RESET_RECVD && stream->session && stream->has_callbacks && !held) {
    wt__stream_tell_reset(stream);
  }
  if (sending->tell_stop && !held) wt__stream_tell_stop(stream);
  if (sending->tell_writable) {
    sending->tell_writable = false;
    if (wt__sending_is_writable(sending) && !stream->close_told && !wt__stream_session_closed_here(stream) &&
        stream->callbacks.on_writable) {
      stream->callbacks.on_writable(stream, stream->user_data);
    }
  }
  if (!stream->closed || held) return;
  if (!wt__receiving_is_open(receiving) && stream->session)
    wt__stream_tell_close(stream, stream->failed ? &stream->error : NULL);
  if (stream->close_told) {
    wt_session *session = stream->session;
    wt__stream_free(stream);
    if (session && session->close_told) wt__session_todo(session);
  }
}

/* --- What the application calls --- */

int wt_stream_set_callbacks(wt_stream *stream, const struct wt_stream_callbacks *callbacks, void *user_data) {
  if (!stream) return WT_ERR_INVALID;
  int error = wt__sized_read_table(&stream->callbacks, sizeof(stream->callbacks), callbacks, sizeof(*callbacks));
  if (error) return error;
  stream->user_data = user_data;
  stream->has_callbacks = true;
  wt__stream_todo_soon(stream);
  return 0;
}

void *wt_stream_user_data(const wt_stream *stream) { return stream ? stream->user_data : NULL; }
wt_session *wt_stream_session(const wt_stream *stream) { return stream ? stream->session : NULL; }
int64_t wt_stream_id(const wt_stream *stream) { return stream ? stream->id : 0; }
bool wt_stream_is_remote(const wt_stream *stream) { return stream && stream->remote; }

enum wt_stream_kind wt_stream_kind(const wt_stream *stream) {
  return stream && stream->uni ? WT_UNIDIRECTIONAL : WT_BIDIRECTIONAL;
}

void wt_stream_abort(wt_stream *stream, uint32_t code) {
  (void)wt_stream_reset(stream, code);
  (void)wt_stream_stop_sending(stream, code);
}

int wt_stream_set_priority(wt_stream *stream, uint64_t group, int64_t send_order) {
  if (!stream) return WT_ERR_INVALID;
  if (stream->uni && stream->remote) return WT_ERR_STATE;
  if (!stream->session || stream->close_told) return WT_ERR_CLOSED;
  return wt__sched_move(&stream->mux->sched, &stream->sched, group, send_order);
}
