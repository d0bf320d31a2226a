/* SPDX-License-Identifier: MIT */
/*
 * Streams whose peer takes nothing: they are given up, and reset (progress.h has the rule).
 */

#include "core/stream.h"

#include "base/log_limit.h"
#include "core/mux.h"
#include "core/progress.h"
#include "core/stream_send.h"
#include "core/stream_state.h"
#include "wire/error_code.h"

static struct wt__progress_state stream_progress_state(const struct wt__progress *progress) {
  const wt_stream *stream = WT__CONTAINER_OF(progress, wt_stream, progress);
  const struct wt__sending *sending = &stream->sending;
  const struct wt_transport *transport = stream->mux->transport;
  bool window = !transport->stream_room || transport->stream_room(stream->mux->ctx, stream->id) > 0;
  return (struct wt__progress_state){
      .waits = wt__sending_waits_for_peer(sending) && !wt__stream_waits_for_answer(stream),
      .turn = window && sending->queue.sent < sending->queue.end && !wt__link_linked(&stream->parked),
      .done = sending->acked,
      .left = sending->queue.end - sending->acked,
      .total = stream->mux->sent_total,
  };
}

/* As `wt__stream_abort`, but the reset does not wait for the header: the peer may never take it. */
static void stream_reset_at_once(wt_stream *stream, uint64_t wire_code) {
  struct wt__mux *mux = stream->mux;
  if (stream->sending.queue.sent <= stream->sending.header_len || !wt__stream_can_reset_at(stream)) {
    mux->transport->reset_stream(mux->ctx, stream->id, wire_code);
    wt__stream_drop_output(stream);
  }
  wt__stream_abort(stream, wire_code);
}

static void stream_give_up(struct wt__progress *progress) {
  wt_stream *stream = WT__CONTAINER_OF(progress, wt_stream, progress);
  const struct wt__mux *mux = stream->mux;
  struct wt_stream_error error = {.by = WT_TRANSPORT, .wire_code = WT__H3_EXCESSIVE_LOAD};
  struct wt__log_limit *lines = wt__progress_count(mux->config->progress);
  WT__INFO_LIMITED(mux->config->log, lines, mux->now,
                   WT__EVENT_OF("stream_stalled", WT__MUX_CONNECTION(mux), WT__INTEGER("session", stream->session_id),
                                WT__INTEGER("stream", stream->id), WT__TEXT("part", "data"),
                                WT__INTEGER("timeout_ms", mux->config->send_timeout_ms)),
                   "stream %lld of session %lld is given up: its peer took less than %llu bytes in %llu ms",
                   (long long)stream->id, (long long)stream->session_id, (unsigned long long)mux->config->min_progress,
                   (unsigned long long)mux->config->send_timeout_ms);
  wt__stream_fail(stream, &error);
  stream_reset_at_once(stream, error.wire_code);
  wt__stream_tell_close(stream, &stream->error);
  wt__stream_todo(stream);
}

void wt__streams_run_progress(struct wt__mux *mux) {
  static const struct wt__progress_kind kind = {stream_progress_state, stream_give_up};
  wt__progress_run(&mux->sending, &kind, mux->now);
}
