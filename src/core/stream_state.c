/* SPDX-License-Identifier: MIT */
/*
 * What all files of a stream do with its record: they mark it for the next pass, put it into the scheduler and take
 * it out, give credit back, and note why it failed.
 */

#include "core/stream_state.h"

#include "core/credit.h"
#include "core/session.h"
#include "wire/error_code.h"

void wt__stream_todo(wt_stream *stream) {
  if (!wt__link_linked(&stream->todo)) wt__list_push_back(&stream->mux->todo_streams, &stream->todo);
}

void wt__stream_consume(wt_stream *stream, size_t len) {
  if (len == 0) return;
  stream->mux->transport->consume(stream->mux->ctx, stream->id, len);
  if (stream->session) wt__credit_consumed(stream->session, len);
}

void wt__stream_discard_kept(wt_stream *stream) { wt__stream_consume(stream, wt__receiving_drop(&stream->receiving)); }

void wt__stream_todo_soon(wt_stream *stream) {
  wt__stream_todo(stream);
  stream->mux->transport->wake(stream->mux->ctx);
}

void wt__stream_make_ready(wt_stream *stream) {
  if (!wt__sending_has_output(&stream->sending)) return;
  bool unwatched = wt__progress_watch(&stream->mux->sending, &stream->progress);
  if (stream->sending.blocked && !unwatched) return;
  if (!stream->sending.blocked && !wt__link_linked(&stream->parked)) wt__sched_add(&stream->mux->sched, &stream->sched);
  stream->mux->transport->wake(stream->mux->ctx);
}

void wt__stream_make_unready(wt_stream *stream) {
  wt__sched_remove(&stream->sched);
  wt__list_remove(&stream->parked);
}

void wt__stream_drop_output(wt_stream *stream) {
  wt__sending_reset_sent(&stream->sending);
  wt__stream_make_unready(stream);
  wt__sendq_drop(&stream->sending.queue, &stream->mux->released);
}

void wt__stream_fail(wt_stream *stream, const struct wt_stream_error *error) {
  if (stream->failed) return;
  stream->failed = true;
  stream->error = *error;
}

void wt__stream_tell_close(wt_stream *stream, const struct wt_stream_error *error) {
  if (stream->close_told) return;
  stream->close_told = true;
  if (stream->session) stream->session->stats.streams_open--;
  if (stream->callbacks.on_close) stream->callbacks.on_close(stream, error, stream->user_data);
}

bool wt__stream_waits_for_answer(const wt_stream *stream) {
  return stream->session && stream->session->start == WT__SESSION_ASKED;
}

bool wt__stream_session_closed_here(const wt_stream *stream) {
  return stream->session && stream->session->ended && stream->session->end.by == WT_LOCAL;
}

struct wt_stream_error wt__stream_error_from_wire(enum wt_party by, uint64_t wire_code) {
  struct wt_stream_error error = {.by = by, .wire_code = wire_code};
  error.has_code = wt__error_from_wire(wire_code, &error.code);
  return error;
}
