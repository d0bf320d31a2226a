/* SPDX-License-Identifier: MIT */
/*
 * A WebTransport stream (draft sections 4.2 to 4.4): it ties the stream's two parts to everything else.
 *
 * sending.c and receiving.c hold the bytes and the states. This file counts the session's credit, puts the stream into
 * the scheduler, calls the transport and makes the application's callbacks.
 *
 * Receiving. The application gets bytes straight from the packet. If it has paused the stream, or has not set its
 * callbacks yet, the bytes are kept, and QUIC does not hear that they are consumed. So QUIC's window bounds them.
 *
 * Sending. Our own streams begin with a header that names the session. A reset leaves this header to the peer, and one
 * byte more if there is one: webtransport-go forgets a stream that was reset right behind its header.
 *
 * A call of the application never calls back. It changes the state, puts the stream on the list `mux->todo_streams` and
 * wakes the connection. `wt__stream_run` makes the callbacks later.
 */

#include "core/stream.h"

#include "base/sized.h"

#include <string.h>

#include "core/credit.h"
#include "core/session.h"
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

static void stream_consume(wt_stream *stream, size_t len) {
  if (len == 0) return;
  stream->mux->transport->consume(stream->mux->ctx, stream->id, len);
  if (stream->session) wt__credit_consumed(stream->session, len);
}

/* Nobody will read the kept bytes: their credit goes back to the windows of the connection and the session. */
static void stream_discard_kept(wt_stream *stream) { stream_consume(stream, wt__receiving_drop(&stream->receiving)); }

void wt__stream_free(wt_stream *stream) {
  stream_discard_kept(stream);
  wt__list_remove(&stream->link);
  wt__list_remove(&stream->parked);
  wt__list_remove(&stream->todo);
  wt__progress_forget(&stream->mux->sending, &stream->progress);
  wt__sched_leave(&stream->sched);
  wt__sendq_drop(&stream->sending.queue, &stream->mux->released);
  wt__gauge_remove(stream->mux->gauge, sizeof(*stream));
  wt__pool_give(stream->mux->config->pool, stream, sizeof(*stream));
}

void wt__stream_todo(wt_stream *stream) {
  if (!wt__link_linked(&stream->todo)) wt__list_push_back(&stream->mux->todo_streams, &stream->todo);
}

/* The application has called us, and the connection has to run for it. */
static void stream_todo_soon(wt_stream *stream) {
  wt__stream_todo(stream);
  stream->mux->transport->wake(stream->mux->ctx);
}

static void stream_make_ready(wt_stream *stream) {
  if (!wt__sending_has_output(&stream->sending)) return;
  bool unwatched = wt__progress_watch(&stream->mux->sending, &stream->progress);
  if (stream->sending.blocked && !unwatched) return;
  if (!stream->sending.blocked && !wt__link_linked(&stream->parked)) wt__sched_add(&stream->mux->sched, &stream->sched);
  stream->mux->transport->wake(stream->mux->ctx);
}

static void stream_make_unready(wt_stream *stream) {
  wt__sched_remove(&stream->sched);
  wt__list_remove(&stream->parked);
}

/* The transport has reset the stream, and reads its bytes no more. */
static void stream_drop_output(wt_stream *stream) {
  wt__sending_reset_sent(&stream->sending);
  stream_make_unready(stream);
  wt__sendq_drop(&stream->sending.queue, &stream->mux->released);
}

static void stream_fail(wt_stream *stream, const struct wt_stream_error *error) {
  if (stream->failed) return;
  stream->failed = true;
  stream->error = *error;
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
  stream_make_ready(stream);
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
  wt__stream_abort(stream, wire_code);
  wt__stream_todo(stream);
}

/* --- Receiving --- */

/* The server has not answered yet: of all callbacks, the application gets `on_writable` only. */
static bool stream_waits_for_answer(const wt_stream *stream) {
  return stream->session && stream->session->start == WT__SESSION_ASKED;
}

/* The application has closed the session: it gets `on_close` only. */
static bool stream_session_closed_here(const wt_stream *stream) {
  return stream->session && stream->session->ended && stream->session->end.by == WT_LOCAL;
}

static bool stream_can_deliver(const wt_stream *stream) {
  return stream->session && !stream_waits_for_answer(stream) && stream->has_callbacks && !stream->paused &&
         !stream->close_told && wt__receiving_is_open(&stream->receiving) && !stream_session_closed_here(stream);
}

/* Returns how many bytes the application took. */
static size_t stream_deliver(wt_stream *stream, const uint8_t *data, size_t len, bool fin) {
  struct wt__receiving *receiving = &stream->receiving;
  size_t taken;
  bool gave_back;
  wt__receiving_deliver_begin(receiving, len, fin);
  if (stream->callbacks.on_data && (len > 0 || fin)) {
    stream->callbacks.on_data(stream, data, len, fin, stream->user_data);
  }
  gave_back = receiving->delivery == WT__DELIVERY_GAVE_BACK;
  taken = wt__receiving_deliver_end(receiving, fin);
  if (gave_back && !stream->paused) stream_todo_soon(stream); /* it called `wt_stream_resume` after that */
  stream_consume(stream, taken);
  return taken;
}

static void stream_keep(wt_stream *stream, const uint8_t *data, size_t len) {
  if (wt__buf_append(&stream->receiving.kept, data, len) != 0) {
    stream->mux->transport->close_connection(stream->mux->ctx, WT__H3_INTERNAL_ERROR, "out of memory");
  }
}

void wt__stream_set_recv_header(wt_stream *stream, size_t len) { stream->receiving.header_len = len; }

/* The peer has used credit: bytes arrived, or a reset tells that they were sent. False: it used too much. */
static bool stream_count_received(wt_stream *stream, uint64_t len) {
  stream->receiving.received += len;
  if (stream->session) return wt__credit_received(stream->session, len);
  if (stream->close_told && len > 0) wt__credit_refused(stream->mux, stream->session_id, stream->uni, 0, len);
  return true; /* the bytes of an early stream count when it gets its session */
}

void wt__stream_recv(wt_stream *stream, const uint8_t *data, size_t len, bool fin) {
  struct wt__receiving *receiving = &stream->receiving;
  if (!stream_count_received(stream, len) || !wt__receiving_is_open(receiving) || stream->close_told ||
      stream_session_closed_here(stream)) {
    if (fin) wt__receiving_fin(receiving); /* STOP_SENDING is not needed any more */
    stream_consume(stream, len);
    return;
  }
  if (stream->session) stream->session->stats.bytes_received += len;
  if (stream_can_deliver(stream) && receiving->kept.len == 0) {
    size_t taken = stream_deliver(stream, data, len, fin);
    if (taken < len) stream_keep(stream, data + taken, len - taken);
    return;
  }
  stream_keep(stream, data, len);
  if (fin) wt__receiving_fin(receiving);
  if (stream_can_deliver(stream)) wt__stream_todo(stream);
}

/* Gives the kept bytes to the application. They are moved out of the receiving part meanwhile, because
 * `wt_stream_stop_sending` inside the callback drops what is there. */
static void stream_deliver_kept(wt_stream *stream) {
  struct wt__receiving *receiving = &stream->receiving;
  struct wt__buf kept;
  if (!stream_can_deliver(stream) || !wt__receiving_has_input(receiving)) return;
  kept = wt__buf_move(&receiving->kept);
  wt__buf_take(&kept, stream_deliver(stream, kept.data ? wt__buf_head(&kept) : NULL, kept.len,
                                     receiving->state == WT__RECEIVING_DATA_RECVD));
  if (kept.len > 0) {
    receiving->kept = kept;
    return;
  }
  wt__buf_free(&kept);
  if (wt__receiving_emptied(receiving)) stream_fail(stream, &stream->reset_error);
}

static struct wt_stream_error stream_error_from_wire(enum wt_party by, uint64_t wire_code) {
  struct wt_stream_error error = {.by = by, .wire_code = wire_code};
  error.has_code = wt__error_from_wire(wire_code, &error.code);
  return error;
}

/* Bytes up to `final_size` that did not arrive count, too. Nobody will read them, so their credit is given back. */
static void stream_count_final(wt_stream *stream, uint64_t final_size) {
  uint64_t rest = wt__receiving_missing(&stream->receiving, final_size);
  if (rest > 0 && stream_count_received(stream, rest) && stream->session) wt__credit_consumed(stream->session, rest);
}

void wt__stream_recv_final_size(wt_stream *stream, uint64_t final_size) { stream_count_final(stream, final_size); }

void wt__stream_recv_promise(wt_stream *stream, uint64_t reliable_size) {
  wt__receiving_promise(&stream->receiving, reliable_size);
}

void wt__stream_recv_reset(wt_stream *stream, uint64_t wire_code, uint64_t final_size) {
  struct wt__receiving *receiving = &stream->receiving;
  uint64_t received = receiving->received;
  stream_count_final(stream, final_size);
  if (!wt__receiving_is_open(receiving)) return;
  stream->reset_error = stream_error_from_wire(WT_PEER, wire_code);
  stream_consume(stream, wt__receiving_reset(receiving, received));
  if (receiving->state == WT__RECEIVING_RESET_RECVD) stream_fail(stream, &stream->reset_error);
  wt__stream_todo(stream);
}

void wt__stream_recv_stop_sending(wt_stream *stream, uint64_t wire_code) {
  struct wt_stream_error error = stream_error_from_wire(WT_PEER, wire_code);
  if (!wt__sending_is_open(&stream->sending)) return;
  stream_drop_output(stream); /* QUIC answers STOP_SENDING with RESET_STREAM by itself */
  stream_fail(stream, &error);
  if (stream_waits_for_answer(stream)) {
    stream->sending.tell_stop = true;
  } else if (!stream->close_told && stream->session && !stream_session_closed_here(stream) &&
             stream->callbacks.on_stop_sending) {
    stream->callbacks.on_stop_sending(stream, &error, stream->user_data);
  }
}

/* --- Sending --- */

static void stream_reset_on_wire(wt_stream *stream, uint64_t wire_code);
static void stream_tell_close(wt_stream *stream, const struct wt_stream_error *error);

void wt__stream_sent(wt_stream *stream, size_t len, bool fin) {
  struct wt__sending *sending = &stream->sending;
  uint64_t payload = wt__sending_sent(sending, len, fin);
  if (stream->session && payload > 0) {
    stream->session->stats.bytes_sent += payload;
    wt__credit_sent(stream->session, payload);
  }
  /* The session had its turn, even if the stream has no more bytes. */
  wt__sched_served(&stream->mux->sched, &stream->sched);
  if (wt__sendq_pending(&sending->queue)) return; /* the sender goes on with it, now or later */
  wt__sched_remove(&stream->sched);
  if (sending->state == WT__SENDING_RESET_QUEUED) stream_reset_on_wire(stream, sending->reset_code);
}

void wt__stream_blocked(wt_stream *stream) {
  stream->sending.blocked = true;
  wt__sched_remove(&stream->sched);
}

void wt__stream_unblocked(wt_stream *stream) {
  stream->sending.blocked = false;
  stream_make_ready(stream);
}

void wt__stream_write_closed(wt_stream *stream) { stream_drop_output(stream); }

static bool stream_can_reset_at(const wt_stream *stream) {
  const struct wt_transport *transport = stream->mux->transport;
  return stream->sending.header_len > 0 && transport->has_reset_at && transport->has_reset_at(stream->mux->ctx);
}

/* Sends a reset now, or queues it until the peer can know which session the stream belongs to. */
static void stream_reset_on_wire(wt_stream *stream, uint64_t wire_code) {
  struct wt__mux *mux = stream->mux;
  struct wt__sending *sending = &stream->sending;
  uint64_t reliable = 0, end;
  if (!wt__sending_is_open(sending)) return;
  if (stream_can_reset_at(stream)) reliable = sending->header_len + (wt__credit_has_byte(stream) ? 1 : 0);
  if (!wt__sending_reset(sending, wire_code, reliable, &mux->released)) {
    stream_make_ready(stream);
  } else if (reliable > 0) {
    end = sending->queue.end;
    stream_make_unready(stream);
    mux->transport->reset_stream_at(mux->ctx, stream->id, wire_code, reliable < end ? reliable : end, end);
  } else {
    mux->transport->reset_stream(mux->ctx, stream->id, wire_code);
    stream_drop_output(stream);
  }
  mux->transport->wake(mux->ctx);
}

void wt__stream_lacks_credit(wt_stream *stream) {
  if (stream->sending.state != WT__SENDING_RESET_QUEUED) {
    wt__credit_park(stream);
    return;
  }
  /* A reset does not wait for the session's credit: it does without the byte behind the header. */
  wt__sendq_drop_unsent(&stream->sending.queue, stream->sending.header_len, &stream->mux->released);
  stream_make_unready(stream);
  stream_reset_on_wire(stream, stream->sending.reset_code);
}

void wt__stream_acked(wt_stream *stream, uint64_t offset) {
  struct wt__sending *sending = &stream->sending;
  if (wt__sending_acked(sending, offset, &stream->mux->released)) {
    sending->tell_writable = true;
    wt__stream_todo(stream);
  }
  if (sending->state == WT__SENDING_RESET_QUEUED && sending->acked >= sending->header_len) {
    stream_reset_on_wire(stream, sending->reset_code);
  }
}

/* Stops reading. Returns whether the peer has to be asked to stop. */
static bool stream_stop(wt_stream *stream) {
  bool ask = wt__receiving_stop(&stream->receiving);
  stream_discard_kept(stream);
  return ask && !stream->closed;
}

void wt__stream_abort(wt_stream *stream, uint64_t wire_code) {
  if (stream->closed) return;
  if (stream_stop(stream)) stream->mux->transport->stop_sending(stream->mux->ctx, stream->id, wire_code);
  stream_reset_on_wire(stream, wire_code);
}

/* --- A peer that takes nothing --- */

static struct wt__progress_state stream_progress_state(const struct wt__progress *progress) {
  const wt_stream *stream = WT__CONTAINER_OF(progress, wt_stream, progress);
  const struct wt__sending *sending = &stream->sending;
  const struct wt_transport *transport = stream->mux->transport;
  bool window = !transport->stream_room || transport->stream_room(stream->mux->ctx, stream->id) > 0;
  return (struct wt__progress_state){
      .waits = wt__sending_waits_for_peer(sending) && !stream_waits_for_answer(stream),
      .turn = window && sending->queue.sent < sending->queue.end && !wt__link_linked(&stream->parked),
      .done = sending->acked,
      .left = sending->queue.end - sending->acked,
      .total = stream->mux->sent_total,
  };
}

/* As `wt__stream_abort`, but the reset does not wait for the header: the peer may never take it. */
static void stream_reset_at_once(wt_stream *stream, uint64_t wire_code) {
  struct wt__mux *mux = stream->mux;
  if (stream->sending.queue.sent <= stream->sending.header_len || !stream_can_reset_at(stream)) {
    mux->transport->reset_stream(mux->ctx, stream->id, wire_code);
    stream_drop_output(stream);
  }
  wt__stream_abort(stream, wire_code);
}

static void stream_give_up(struct wt__progress *progress) {
  wt_stream *stream = WT__CONTAINER_OF(progress, wt_stream, progress);
  const struct wt__mux *mux = stream->mux;
  struct wt_stream_error error = {.by = WT_TRANSPORT, .wire_code = WT__H3_EXCESSIVE_LOAD};
  struct wt__log_limit *lines = wt__progress_count(mux->config->progress);
  WT__INFO_LIMITED(mux->config->log, lines, mux->now,
                   "stream %lld of session %lld is given up: its peer took less than %llu bytes in %llu ms",
                   (long long)stream->id, (long long)stream->session_id, (unsigned long long)mux->config->min_progress,
                   (unsigned long long)mux->config->send_timeout_ms);
  stream_fail(stream, &error);
  stream_reset_at_once(stream, error.wire_code);
  stream_tell_close(stream, &stream->error);
  wt__stream_todo(stream);
}

void wt__streams_run_progress(struct wt__mux *mux) {
  static const struct wt__progress_kind kind = {stream_progress_state, stream_give_up};
  wt__progress_run(&mux->sending, &kind, mux->now);
}

/* --- End --- */

static void stream_tell_close(wt_stream *stream, const struct wt_stream_error *error) {
  if (stream->close_told) return;
  stream->close_told = true;
  if (stream->session) stream->session->stats.streams_open--;
  if (stream->callbacks.on_close) stream->callbacks.on_close(stream, error, stream->user_data);
}

void wt__stream_tell_session_gone(wt_stream *stream) {
  const wt_session *session = stream->session;
  struct wt_stream_error error = {
      .by = session->end.by,
      .has_code = session->end.has_code,
      .session_gone = true,
      .code = session->end.code,
      .wire_code = session->end.clean ? WT__WT_SESSION_GONE : session->end.wire_code,
  };
  stream_tell_close(stream, &error);
}

void wt__stream_closed(wt_stream *stream) {
  stream->closed = true;
  wt__sending_closed(&stream->sending);
  if (stream->remote && stream->session) wt__credit_stream_closed(stream->session, stream->uni);
  stream_make_unready(stream);
  wt__sendq_drop(&stream->sending.queue, &stream->mux->released);
  wt__stream_todo(stream);
}

static void stream_tell_reset(wt_stream *stream) {
  wt__receiving_reset_read(&stream->receiving);
  if (!stream->close_told && !stream_session_closed_here(stream) && stream->callbacks.on_reset) {
    stream->callbacks.on_reset(stream, &stream->reset_error, stream->user_data);
  }
}

static void stream_tell_stop(wt_stream *stream) {
  stream->sending.tell_stop = false;
  if (!stream->close_told && !stream_session_closed_here(stream) && stream->callbacks.on_stop_sending) {
    stream->callbacks.on_stop_sending(stream, &stream->error, stream->user_data);
  }
}

void wt__stream_run(wt_stream *stream) {
  struct wt__receiving *receiving = &stream->receiving;
  struct wt__sending *sending = &stream->sending;
  bool held = stream_waits_for_answer(stream);
  stream_deliver_kept(stream);
  if (receiving->state == WT__RECEIVING_RESET_RECVD && stream->session && stream->has_callbacks && !held) {
    stream_tell_reset(stream);
  }
  if (sending->tell_stop && !held) stream_tell_stop(stream);
  if (sending->tell_writable) {
    sending->tell_writable = false;
    if (wt__sending_is_writable(sending) && !stream->close_told && !stream_session_closed_here(stream) &&
        stream->callbacks.on_writable) {
      stream->callbacks.on_writable(stream, stream->user_data);
    }
  }
  if (!stream->closed || held) return;
  if (!wt__receiving_is_open(receiving) && stream->session)
    stream_tell_close(stream, stream->failed ? &stream->error : NULL);
  if (stream->close_told) {
    wt_session *session = stream->session;
    wt__stream_free(stream);
    if (session && session->close_told) wt__session_todo(session);
  }
}

/* --- What the application calls --- */

int wt_stream_set_callbacks(wt_stream *stream, const struct wt_stream_callbacks *callbacks, void *user_data) {
  int error = wt__sized_read_table(&stream->callbacks, sizeof(stream->callbacks), callbacks, sizeof(*callbacks));
  if (error) return error;
  stream->user_data = user_data;
  stream->has_callbacks = true;
  stream_todo_soon(stream);
  return 0;
}

void *wt_stream_user_data(const wt_stream *stream) { return stream->user_data; }
wt_session *wt_stream_session(const wt_stream *stream) { return stream->session; }
int64_t wt_stream_id(const wt_stream *stream) { return stream->id; }
bool wt_stream_is_remote(const wt_stream *stream) { return stream->remote; }

enum wt_stream_kind wt_stream_kind(const wt_stream *stream) {
  return stream->uni ? WT_UNIDIRECTIONAL : WT_BIDIRECTIONAL;
}

static int stream_write_state(const wt_stream *stream) {
  if (stream->uni && stream->remote) return WT_ERR_STATE;
  if (wt__sending_is_ended(&stream->sending)) return WT_ERR_STATE;
  if (!wt__sending_is_writable(&stream->sending) || stream->close_told || !stream->session || stream->session->ended) {
    return WT_ERR_CLOSED;
  }
  return 0;
}

int wt_stream_write(wt_stream *stream, const void *data, size_t len, size_t *written) {
  size_t taken = 0;
  int error = stream_write_state(stream);
  if (!error && len > 0 && !data) error = WT_ERR_INVALID;
  if (!error) error = wt__sendq_append(&stream->sending.queue, data, len, false, &taken);
  if (!error) stream_make_ready(stream);
  if (written) *written = taken;
  return error;
}

int wt_stream_write_owned(wt_stream *stream, const void *data, size_t len, wt_release_callback release,
                          void *user_data) {
  int error = stream_write_state(stream);
  if (!error && (!data || len == 0 || !release)) error = WT_ERR_INVALID;
  if (!error) error = wt__sendq_append_owned(&stream->sending.queue, data, len, release, user_data);
  if (!error) stream_make_ready(stream);
  return error;
}

size_t wt_stream_writable(wt_stream *stream) {
  return stream_write_state(stream) == 0 ? wt__sendq_ask_room(&stream->sending.queue) : 0;
}

int wt_stream_end(wt_stream *stream) {
  int error = stream_write_state(stream);
  if (error) return error;
  wt__sending_end(&stream->sending);
  stream_make_ready(stream);
  return 0;
}

int wt_stream_reset(wt_stream *stream, uint32_t code) {
  struct wt_stream_error error = {.by = WT_LOCAL, .has_code = true, .code = code, .wire_code = wt__error_to_wire(code)};
  if (stream->uni && stream->remote) return WT_ERR_STATE;
  if (!wt__sending_is_open(&stream->sending) || stream->sending.state == WT__SENDING_RESET_QUEUED ||
      stream->close_told) {
    return 0;
  }
  stream_fail(stream, &error);
  stream_reset_on_wire(stream, error.wire_code);
  return 0;
}

int wt_stream_stop_sending(wt_stream *stream, uint32_t code) {
  struct wt_stream_error error = {.by = WT_LOCAL, .has_code = true, .code = code, .wire_code = wt__error_to_wire(code)};
  if (stream->uni && !stream->remote) return WT_ERR_STATE;
  if (!wt__receiving_is_open(&stream->receiving) || stream->close_told) return 0;
  if (stream_stop(stream)) {
    stream_fail(stream, &error);
    stream->mux->transport->stop_sending(stream->mux->ctx, stream->id, error.wire_code);
  }
  stream_todo_soon(stream);
  return 0;
}

void wt_stream_abort(wt_stream *stream, uint32_t code) {
  (void)wt_stream_reset(stream, code);
  (void)wt_stream_stop_sending(stream, code);
}

int wt_stream_set_priority(wt_stream *stream, uint64_t group, int64_t send_order) {
  if (stream->uni && stream->remote) return WT_ERR_STATE;
  if (!stream->session || stream->close_told) return WT_ERR_CLOSED;
  return wt__sched_move(&stream->mux->sched, &stream->sched, group, send_order);
}

void wt_stream_pause(wt_stream *stream) { stream->paused = true; }

int wt_stream_unread(wt_stream *stream, size_t len) {
  int error = wt__receiving_unread(&stream->receiving, len);
  if (!error) stream->paused = true;
  return error;
}

void wt_stream_resume(wt_stream *stream) {
  stream->paused = false;
  if (wt__receiving_has_input(&stream->receiving)) stream_todo_soon(stream);
}
