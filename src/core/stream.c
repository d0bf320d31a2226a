/* SPDX-License-Identifier: MIT */
/*
 * A WebTransport stream (draft sections 4.2 to 4.4): bytes in, bytes out, and its two ways to end early.
 *
 * Receiving. Bytes go to the application straight from the packet. If it paused, or has not set its
 * callbacks yet, they are kept; they are not reported as consumed then, so QUIC's window, and nothing
 * else, bounds them.
 *
 * Sending. Our own streams begin with a header that names the session. If it were lost with a reset, the
 * peer could not tell whose stream it was. So they are reset with RESET_STREAM_AT (section 4.4), which keeps
 * the header and one byte more: webtransport-go forgets a stream that was reset right behind its header. The
 * reset waits (`reset_wait`) until both are sent. A peer without RESET_STREAM_AT gets RESET_STREAM; that waits
 * until the header is acknowledged. Bytes behind that were never sent are dropped at once.
 *
 * Whether there is credit for all this is asked in credit.c, whose turn it is in sched.c.
 *
 * Calls of the application never call back: they leave a mark and put the stream on the mux's todo list.
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
  if (stream == NULL) return NULL;
  stream->mux = mux;
  stream->id = id;
  stream->session_id = -1;
  stream->uni = uni;
  stream->remote = remote;
  stream->recv_done = uni && !remote;
  stream->send_done = uni && remote;
  wt__link_init(&stream->link);
  wt__link_init(&stream->parked);
  wt__link_init(&stream->todo);
  wt__progress_init(&stream->progress);
  wt__sendq_init(&stream->sendq, mux->config->max_stream_send_buffer);
  wt__buf_init(&stream->recv, SIZE_MAX / 2); /* QUIC's window is the bound */
  stream->sendq.pool = mux->config->pool;
  stream->sendq.gauge = mux->gauge;
  stream->recv.gauge = mux->gauge;
  wt__gauge_add(mux->gauge, sizeof(*stream));
  return stream;
}

static void stream_consume(wt_stream *stream, size_t len) {
  if (len == 0) return;
  stream->mux->transport->consume(stream->mux->ctx, stream->id, len);
  if (stream->session) wt__credit_consumed(stream->session, len);
}

/* Kept bytes that nobody will read go back to the windows of the connection and the session, which outlive the stream. */
void wt__stream_free(wt_stream *stream) {
  stream_consume(stream, stream->recv.len);
  wt__list_remove(&stream->link);
  wt__list_remove(&stream->parked);
  wt__list_remove(&stream->todo);
  wt__progress_forget(&stream->mux->sending, &stream->progress);
  wt__sched_leave(&stream->sched);
  wt__sendq_drop(&stream->sendq, &stream->mux->released);
  wt__buf_free(&stream->recv);
  wt__gauge_remove(stream->mux->gauge, sizeof(*stream));
  wt__pool_give(stream->mux->config->pool, stream, sizeof(*stream));
}

void wt__stream_todo(wt_stream *stream) {
  if (!wt__link_linked(&stream->todo)) wt__list_push_back(&stream->mux->todo_streams, &stream->todo);
}

/* For marks that an application's call leaves: the connection has to be run for them. */
static void stream_todo_soon(wt_stream *stream) {
  wt__stream_todo(stream);
  stream->mux->transport->wake(stream->mux->ctx);
}

static void stream_make_ready(wt_stream *stream) {
  if (stream->closed || stream->reset_sent || !wt__sendq_pending(&stream->sendq)) return;
  bool unwatched = wt__progress_watch(&stream->mux->sending, &stream->progress);
  if (stream->blocked && !unwatched) return;
  if (!stream->blocked && !wt__link_linked(&stream->parked)) wt__sched_add(&stream->mux->sched, &stream->sched);
  stream->mux->transport->wake(stream->mux->ctx);
}

static void stream_make_unready(wt_stream *stream) {
  wt__sched_remove(&stream->sched);
  wt__list_remove(&stream->parked);
}

static void stream_fail(wt_stream *stream, const struct wt_stream_error *error) {
  if (stream->failed) return;
  stream->failed = true;
  stream->error = *error;
}

/* --- Beginning --- */

/* What its session has for all streams, until the application says something else. */
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
  size_t taken;
  wt_stream *stream;
  int rv;
  *out = NULL;
  if (session->ended) return WT_ERR_CLOSED;
  if (!wt__credit_open(session, uni)) return WT_ERR_STREAM_LIMIT;
  stream = wt__stream_alloc(mux, -1, uni, false);
  if (stream == NULL) {
    wt__credit_open_undo(session, uni);
    return WT_ERR_NOMEM;
  }
  stream->header_len = wt__stream_header_write(header, uni, session->id);
  rv = wt__sendq_append(&stream->sendq, header, stream->header_len, true, &taken);
  if (rv == 0) rv = mux->transport->open_stream(mux->ctx, uni, &stream->id);
  if (rv != 0) {
    if (rv == WT_ERR_STREAM_LIMIT) session->wants_credit[uni] = true;
    wt__credit_open_undo(session, uni);
    wt__stream_free(stream);
    return rv;
  }
  stream->session = session;
  stream->session_id = session->id;
  stream_set_defaults(stream);
  wt__list_push_back(&session->streams, &stream->link);
  wt__sched_join(&stream->sched, &session->sched);
  /* Others that wait for a stream are told first next time. */
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
  if (!wt__credit_stream_opened(session, stream->uni) || !wt__credit_received(session, stream->received)) {
    wt__stream_refuse(stream, WT__WT_SESSION_GONE);
    return;
  }
  stream->session = session;
  stream->deadline = 0;
  wt__list_push_back(&session->streams, &stream->link);
  wt__sched_join(&stream->sched, &session->sched);
  if (stream->closed) wt__credit_stream_closed(session, stream->uni);
  session->stats.bytes_received += stream->received;
  session->stats.streams_accepted++;
  session->stats.streams_open++;
  stream_set_defaults(stream);
  if (session->callbacks.on_stream) session->callbacks.on_stream(session, stream, session->user_data);
  if (session->callbacks.on_stream || stream->has_callbacks) {
    wt__stream_todo(stream);
    return;
  }
  /* Nobody wants it. */
  stream->told = true;
  session->stats.streams_open--;
  wt__stream_abort(stream, wt__error_to_wire(0));
  wt__stream_todo(stream); /* QUIC may be done with it already */
}

void wt__stream_refuse(wt_stream *stream, uint64_t wire_code) {
  wt__list_remove(&stream->link);
  wt__list_push_back(&stream->mux->refused_streams, &stream->link);
  wt__sched_leave(&stream->sched);
  stream->session = NULL;
  stream->told = true;
  wt__stream_abort(stream, wire_code);
  wt__stream_todo(stream);
}

/* --- Receiving --- */

/* The server has not accepted the session yet: the application hears of nothing but room to write. */
static bool stream_is_held(const wt_stream *stream) { return stream->session && stream->session->unanswered; }

/* The application has closed the session: it hears of ends alone. */
static bool stream_is_left(const wt_stream *stream) {
  return stream->session && stream->session->ended && stream->session->end.by == WT_LOCAL;
}

static bool stream_can_deliver(const wt_stream *stream) {
  return stream->session && !stream_is_held(stream) && stream->has_callbacks && !stream->paused && !stream->told &&
         !stream->recv_done && !stream_is_left(stream);
}

/* Returns how many bytes the application took. */
static size_t stream_deliver(wt_stream *stream, const uint8_t *data, size_t len, bool fin) {
  if (fin) stream->recv_done = true;
  stream->unread = 0;
  stream->gave_back = false;
  if (stream->callbacks.on_data && (len > 0 || fin)) {
    stream->delivering = len;
    stream->in_on_data = true;
    stream->callbacks.on_data(stream, data, len, fin, stream->user_data);
    stream->in_on_data = false;
  }
  if (stream->gave_back && fin) {
    stream->recv_done = false;
    stream->recv_fin = true;
  } else if (stream->recv_done) {
    stream->unread = 0; /* stopped reading after all */
  }
  if (stream->gave_back && !stream->paused) stream_todo_soon(stream); /* and resumed at once */
  stream_consume(stream, len - stream->unread);
  return len - stream->unread;
}

static void stream_keep(wt_stream *stream, const uint8_t *data, size_t len) {
  if (wt__buf_append(&stream->recv, data, len) != 0) {
    stream->mux->transport->close_connection(stream->mux->ctx, WT__H3_INTERNAL_ERROR, "out of memory");
  }
}

void wt__stream_set_recv_header(wt_stream *stream, size_t len) { stream->recv_header_len = len; }

/* The peer has used credit, with bytes that arrived or that a reset says were sent. False: too much. */
static bool stream_count_received(wt_stream *stream, uint64_t len) {
  stream->received += len;
  if (stream->session) return wt__credit_received(stream->session, len);
  if (stream->told && len > 0) wt__credit_refused(stream->mux, stream->session_id, stream->uni, 0, len);
  return true; /* an early one counts when it gets its session */
}

void wt__stream_recv(wt_stream *stream, const uint8_t *data, size_t len, bool fin) {
  if (!stream_count_received(stream, len) || stream->recv_done || stream->told || stream_is_left(stream)) {
    if (fin) stream->recv_fin = true; /* nothing to stop any more */
    stream_consume(stream, len);
    return;
  }
  if (stream->session) stream->session->stats.bytes_received += len;
  if (stream_can_deliver(stream) && stream->recv.len == 0) {
    size_t taken = stream_deliver(stream, data, len, fin);
    if (taken < len) stream_keep(stream, data + taken, len - taken);
    return;
  }
  stream_keep(stream, data, len);
  if (fin) stream->recv_fin = true;
  if (stream_can_deliver(stream)) wt__stream_todo(stream);
}

static void stream_reset_received(wt_stream *stream) {
  stream->recv_done = true;
  stream->reset_behind = false;
  stream_fail(stream, &stream->reset_error);
  stream->reset_pending = true;
}

/* Bytes that were kept are handed over. They are out of `recv` meanwhile, since `wt_stream_stop_sending` in
 * the callback empties it. */
static void stream_deliver_kept(wt_stream *stream) {
  struct wt__buf kept;
  if (!stream_can_deliver(stream) || (stream->recv.len == 0 && !stream->recv_fin)) return;
  kept = wt__buf_move(&stream->recv);
  wt__buf_take(&kept, stream_deliver(stream, kept.data ? wt__buf_head(&kept) : NULL, kept.len, stream->recv_fin));
  if (kept.len > 0) {
    stream->recv = kept;
    return;
  }
  wt__buf_free(&kept);
  if (stream->reset_behind && !stream->recv_done) stream_reset_received(stream);
}

static void stream_discard_kept(wt_stream *stream) {
  size_t len = stream->recv.len;
  wt__buf_free(&stream->recv);
  stream_consume(stream, len);
}

static struct wt_stream_error stream_error_from_wire(enum wt_party by, uint64_t wire_code) {
  struct wt_stream_error error = {.by = by, .wire_code = wire_code};
  error.has_code = wt__error_from_wire(wire_code, &error.code);
  return error;
}

/* Bytes that were lost, or are still on their way, count too; nobody will read them. */
static void stream_count_final(wt_stream *stream, uint64_t final_size) {
  uint64_t known = stream->received + stream->recv_header_len;
  uint64_t rest = final_size > known ? final_size - known : 0;
  if (rest > 0 && stream_count_received(stream, rest) && stream->session) wt__credit_consumed(stream->session, rest);
}

void wt__stream_recv_final_size(wt_stream *stream, uint64_t final_size) { stream_count_final(stream, final_size); }

void wt__stream_recv_promise(wt_stream *stream, uint64_t reliable_size) {
  stream->recv_promised = reliable_size > stream->recv_header_len ? reliable_size - stream->recv_header_len : 0;
}

/* Drops what is kept beyond the bytes that the reset leaves. Returns whether some of those are among it. */
static bool stream_keep_promised(wt_stream *stream, uint64_t received) {
  uint64_t read = received - stream->recv.len;
  if (stream->recv.len == 0 || read >= stream->recv_promised) return false;
  uint64_t keep = stream->recv_promised - read;
  if (keep < stream->recv.len) {
    stream_consume(stream, stream->recv.len - (size_t)keep);
    stream->recv.len = (size_t)keep;
  }
  return true;
}

void wt__stream_recv_reset(wt_stream *stream, uint64_t wire_code, uint64_t final_size) {
  uint64_t received = stream->received;
  stream_count_final(stream, final_size);
  if (stream->recv_done) return;
  stream->reset_error = stream_error_from_wire(WT_PEER, wire_code);
  stream->recv_fin = false;
  stream->reset_behind = stream_keep_promised(stream, received);
  if (!stream->reset_behind) {
    stream_discard_kept(stream);
    stream_reset_received(stream);
  }
  wt__stream_todo(stream);
}

void wt__stream_recv_stop_sending(wt_stream *stream, uint64_t wire_code) {
  struct wt_stream_error error = stream_error_from_wire(WT_PEER, wire_code);
  if (stream->reset_sent || (stream->send_done && !stream->send_ended && !stream->reset_wait)) return;
  stream->send_done = true;
  stream->reset_wait = false;
  stream->reset_sent = true; /* QUIC answers STOP_SENDING with RESET_STREAM by itself */
  stream_make_unready(stream);
  wt__sendq_drop(&stream->sendq, &stream->mux->released);
  stream_fail(stream, &error);
  if (stream_is_held(stream)) {
    stream->stop_pending = true;
  } else if (!stream->told && stream->session && !stream_is_left(stream) && stream->callbacks.on_stop_sending) {
    stream->callbacks.on_stop_sending(stream, &error, stream->user_data);
  }
}

/* --- Sending --- */

static bool stream_can_reset_at(const wt_stream *stream);
static void stream_tell(wt_stream *stream, const struct wt_stream_error *error);
static void stream_reset_at(wt_stream *stream, uint64_t wire_code);

void wt__stream_sent(wt_stream *stream, size_t len, bool fin) {
  uint64_t before = stream->sendq.sent;
  wt__sendq_sent(&stream->sendq, len, fin);
  if (stream->session) {
    uint64_t from = before > stream->header_len ? before : stream->header_len;
    if (stream->sendq.sent > from) {
      stream->session->stats.bytes_sent += stream->sendq.sent - from;
      wt__credit_sent(stream->session, stream->sendq.sent - from);
    }
  }
  wt__sched_served(&stream->mux->sched, &stream->sched); /* its session had its turn, even if it has no more */
  if (wt__sendq_pending(&stream->sendq)) return;         /* whoever sends goes on, now or when it may */
  wt__sched_remove(&stream->sched);
  if (stream->reset_wait && stream_can_reset_at(stream)) stream_reset_at(stream, stream->reset_code);
}

void wt__stream_blocked(wt_stream *stream) {
  stream->blocked = true;
  wt__sched_remove(&stream->sched);
}

void wt__stream_unblocked(wt_stream *stream) {
  stream->blocked = false;
  stream_make_ready(stream);
}

void wt__stream_write_closed(wt_stream *stream) {
  stream->reset_sent = stream->send_done = true;
  stream->reset_wait = false;
  stream_make_unready(stream);
  wt__sendq_drop(&stream->sendq, &stream->mux->released);
}

static bool stream_can_reset_at(const wt_stream *stream) {
  const struct wt_transport *transport = stream->mux->transport;
  return stream->header_len > 0 && transport->has_reset_at && transport->has_reset_at(stream->mux->ctx);
}

/* The first `keep` bytes are sent (or acknowledged) first. */
static void stream_reset_later(wt_stream *stream, uint64_t wire_code, uint64_t keep) {
  wt__sendq_drop_unsent(&stream->sendq, keep, &stream->mux->released);
  stream->reset_wait = true;
  stream->reset_code = wire_code;
  stream_make_ready(stream);
  stream->mux->transport->wake(stream->mux->ctx);
}

/* What was sent stays in the queue: the transport may have to send it again. */
static void stream_reset_at(wt_stream *stream, uint64_t wire_code) {
  struct wt__sendq *sendq = &stream->sendq;
  uint64_t reliable = stream->header_len + (wt__credit_has_byte(stream) ? 1 : 0);
  stream_reset_later(stream, wire_code, reliable);
  if (sendq->sent < sendq->end) return;
  stream->reset_wait = false;
  stream->reset_sent = true;
  stream_make_unready(stream);
  if (reliable > sendq->end) reliable = sendq->end;
  stream->mux->transport->reset_stream_at(stream->mux->ctx, stream->id, wire_code, reliable, sendq->end);
}

/* A reset now, or once the peer can know whose stream it is. */
static void stream_reset_on_wire(wt_stream *stream, uint64_t wire_code) {
  struct wt__mux *mux = stream->mux;
  if (stream->reset_sent || stream->closed) return;
  stream->send_done = true;
  stream->sendq.fin = stream->sendq.fin && stream->sendq.fin_sent;
  if (stream_can_reset_at(stream)) {
    stream_reset_at(stream, wire_code);
    return;
  }
  if (stream->acked < stream->header_len) {
    stream_reset_later(stream, wire_code, stream->header_len);
    return;
  }
  stream->reset_wait = false;
  stream->reset_sent = true;
  stream_make_unready(stream);
  mux->transport->reset_stream(mux->ctx, stream->id, wire_code);
  wt__sendq_drop(&stream->sendq, &mux->released);
  mux->transport->wake(mux->ctx);
}

void wt__stream_starved(wt_stream *stream) {
  if (!stream->reset_wait) {
    wt__credit_park(stream);
    return;
  }
  /* The byte behind the header has to do without: resets do not wait for the session's credit. */
  wt__sendq_drop_unsent(&stream->sendq, stream->header_len, &stream->mux->released);
  stream_make_unready(stream);
  stream_reset_on_wire(stream, stream->reset_code);
}

void wt__stream_acked(wt_stream *stream, uint64_t offset) {
  if (offset > stream->acked) stream->acked = offset;
  if (stream->reset_wait && stream->acked >= stream->header_len) {
    stream_reset_on_wire(stream, stream->reset_code);
    return;
  }
  if (wt__sendq_acked(&stream->sendq, offset, &stream->mux->released) && !stream->send_done) {
    stream->writable_pending = true;
    wt__stream_todo(stream);
  }
}

void wt__stream_abort(wt_stream *stream, uint64_t wire_code) {
  bool readable = !stream->uni || stream->remote, writable = !stream->uni || !stream->remote;
  if (stream->closed) return;
  if (readable && !stream->recv_done) {
    stream->recv_done = true;
    stream_discard_kept(stream);
    if (!stream->recv_fin) stream->mux->transport->stop_sending(stream->mux->ctx, stream->id, wire_code);
  }
  if (writable) stream_reset_on_wire(stream, wire_code);
}

/* --- A peer that takes nothing --- */

static struct wt__progress_state stream_progress_state(const struct wt__progress *progress) {
  const wt_stream *stream = WT__CONTAINER_OF(progress, wt_stream, progress);
  const struct wt__sendq *sendq = &stream->sendq;
  const struct wt_transport *transport = stream->mux->transport;
  bool window = !transport->stream_room || transport->stream_room(stream->mux->ctx, stream->id) > 0;
  return (struct wt__progress_state){
      .waits = !stream->closed && !stream->reset_sent && sendq->end > stream->acked && !stream_is_held(stream),
      .turn = window && sendq->sent < sendq->end && !wt__link_linked(&stream->parked),
      .done = stream->acked,
      .left = sendq->end - stream->acked,
      .total = stream->mux->sent_total,
  };
}

/* As `wt__stream_abort`, but it waits for nothing to be taken: not even the header may have left. */
static void stream_cut(wt_stream *stream, uint64_t wire_code) {
  struct wt__mux *mux = stream->mux;
  if (stream->sendq.sent <= stream->header_len || !stream_can_reset_at(stream)) {
    stream->send_done = stream->reset_sent = true;
    stream->reset_wait = false;
    stream_make_unready(stream);
    mux->transport->reset_stream(mux->ctx, stream->id, wire_code);
    wt__sendq_drop(&stream->sendq, &mux->released);
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
  stream_cut(stream, error.wire_code);
  stream_tell(stream, &stream->error);
  wt__stream_todo(stream);
}

void wt__streams_run_progress(struct wt__mux *mux) {
  static const struct wt__progress_kind kind = {stream_progress_state, stream_give_up};
  wt__progress_run(&mux->sending, &kind, mux->now);
}

/* --- End --- */

static void stream_tell(wt_stream *stream, const struct wt_stream_error *error) {
  if (stream->told) return;
  stream->told = true;
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
  stream_tell(stream, &error);
}

void wt__stream_closed(wt_stream *stream) {
  stream->closed = true;
  stream->send_done = true;
  if (stream->remote && stream->session) wt__credit_stream_closed(stream->session, stream->uni);
  stream_make_unready(stream);
  wt__sendq_drop(&stream->sendq, &stream->mux->released);
  wt__stream_todo(stream);
}

static void stream_tell_reset(wt_stream *stream) {
  stream->reset_pending = false;
  if (!stream->told && !stream_is_left(stream) && stream->callbacks.on_reset) {
    stream->callbacks.on_reset(stream, &stream->reset_error, stream->user_data);
  }
}

static void stream_tell_stop(wt_stream *stream) {
  stream->stop_pending = false;
  if (!stream->told && !stream_is_left(stream) && stream->callbacks.on_stop_sending) {
    stream->callbacks.on_stop_sending(stream, &stream->error, stream->user_data);
  }
}

void wt__stream_run(wt_stream *stream) {
  bool held = stream_is_held(stream);
  stream_deliver_kept(stream);
  if (stream->reset_pending && stream->session && stream->has_callbacks && !held) stream_tell_reset(stream);
  if (stream->stop_pending && !held) stream_tell_stop(stream);
  if (stream->writable_pending) {
    stream->writable_pending = false;
    if (!stream->send_done && !stream->told && !stream_is_left(stream) && stream->callbacks.on_writable) {
      stream->callbacks.on_writable(stream, stream->user_data);
    }
  }
  if (!stream->closed || held) return;
  if (stream->recv_done && stream->session) stream_tell(stream, stream->failed ? &stream->error : NULL);
  if (stream->told) {
    wt_session *session = stream->session;
    wt__stream_free(stream);
    if (session && session->told) wt__session_todo(session);
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

enum wt_stream_kind wt_stream_kind_of(const wt_stream *stream) {
  return stream->uni ? WT_UNIDIRECTIONAL : WT_BIDIRECTIONAL;
}

static int stream_write_state(const wt_stream *stream) {
  if (stream->uni && stream->remote) return WT_ERR_STATE;
  if (stream->send_ended) return WT_ERR_STATE;
  if (stream->send_done || stream->told || stream->session == NULL || stream->session->ended) return WT_ERR_CLOSED;
  return 0;
}

int wt_stream_write(wt_stream *stream, const void *data, size_t len, size_t *written) {
  size_t taken = 0;
  int rv = stream_write_state(stream);
  if (rv == 0 && len > 0 && data == NULL) rv = WT_ERR_INVALID;
  if (rv == 0) rv = wt__sendq_append(&stream->sendq, data, len, false, &taken);
  if (rv == 0) stream_make_ready(stream);
  if (written) *written = taken;
  return rv;
}

int wt_stream_write_owned(wt_stream *stream, const void *data, size_t len, wt_release release, void *user_data) {
  int rv = stream_write_state(stream);
  if (rv == 0 && (data == NULL || len == 0 || release == NULL)) rv = WT_ERR_INVALID;
  if (rv == 0) rv = wt__sendq_append_owned(&stream->sendq, data, len, release, user_data);
  if (rv == 0) stream_make_ready(stream);
  return rv;
}

size_t wt_stream_writable(wt_stream *stream) {
  return stream_write_state(stream) == 0 ? wt__sendq_ask_room(&stream->sendq) : 0;
}

int wt_stream_end(wt_stream *stream) {
  int rv = stream_write_state(stream);
  if (rv != 0) return rv;
  stream->send_ended = stream->send_done = true;
  stream->sendq.fin = true;
  stream_make_ready(stream);
  return 0;
}

int wt_stream_reset(wt_stream *stream, uint32_t code) {
  struct wt_stream_error error = {.by = WT_LOCAL, .has_code = true, .code = code, .wire_code = wt__error_to_wire(code)};
  if (stream->uni && stream->remote) return WT_ERR_STATE;
  if (stream->reset_sent || stream->reset_wait || stream->closed || stream->told) return 0;
  stream_fail(stream, &error);
  stream->send_ended = false;
  stream_reset_on_wire(stream, error.wire_code);
  return 0;
}

int wt_stream_stop_sending(wt_stream *stream, uint32_t code) {
  struct wt_stream_error error = {.by = WT_LOCAL, .has_code = true, .code = code, .wire_code = wt__error_to_wire(code)};
  if (stream->uni && !stream->remote) return WT_ERR_STATE;
  if (stream->recv_done || stream->told) return 0;
  stream->recv_done = true;
  stream_discard_kept(stream);
  if (!stream->closed && !stream->recv_fin) {
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
  if (stream->session == NULL || stream->told) return WT_ERR_CLOSED;
  return wt__sched_move(&stream->mux->sched, &stream->sched, group, send_order);
}

void wt_stream_pause(wt_stream *stream) { stream->paused = true; }

int wt_stream_unread(wt_stream *stream, size_t len) {
  if (!stream->in_on_data) return WT_ERR_STATE;
  if (len > stream->delivering) return WT_ERR_INVALID;
  stream->unread = len;
  stream->gave_back = stream->paused = true;
  return 0;
}

void wt_stream_resume(wt_stream *stream) {
  stream->paused = false;
  if (stream->recv.len > 0 || stream->recv_fin) stream_todo_soon(stream);
}
