/* SPDX-License-Identifier: MIT */
/*
 * The receiving part of a stream at work (draft section 4.4): its bytes on their way to the application. receiving.h
 * has the states.
 *
 * The application gets bytes straight from the packet. If it has paused the stream, or has not set its callbacks yet,
 * the bytes are kept, and QUIC does not hear that they are consumed. So QUIC's window bounds them.
 */

#include "core/stream_recv.h"

#include "base/buf.h"
#include "core/credit.h"
#include "core/qlog_events.h"
#include "core/session.h"
#include "core/stream_state.h"
#include "wire/error_code.h"

static bool stream_can_deliver(const wt_stream *stream) {
  return stream->session && !wt__stream_waits_for_answer(stream) && stream->has_callbacks && !stream->paused &&
         !stream->close_told && wt__receiving_is_open(&stream->receiving) && !wt__stream_session_closed_here(stream);
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
  if (gave_back && !stream->paused) wt__stream_todo_soon(stream); /* it called `wt_stream_resume` after that */
  wt__stream_consume(stream, taken);
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
      wt__stream_session_closed_here(stream)) {
    if (fin) wt__receiving_fin(receiving); /* STOP_SENDING is not needed any more */
    wt__stream_consume(stream, len);
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

void wt__stream_deliver_kept(wt_stream *stream) {
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
  if (wt__receiving_emptied(receiving)) wt__stream_fail(stream, &stream->reset_error);
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
  wt__qlog_stream_code(stream, "webtransport:stream_reset", true, wire_code);
  stream->reset_error = wt__stream_error_from_wire(WT_PEER, wire_code);
  wt__stream_consume(stream, wt__receiving_reset(receiving, received));
  if (receiving->state == WT__RECEIVING_RESET_RECVD) wt__stream_fail(stream, &stream->reset_error);
  wt__stream_todo(stream);
}

void wt__stream_tell_reset(wt_stream *stream) {
  wt__receiving_reset_read(&stream->receiving);
  if (!stream->close_told && !wt__stream_session_closed_here(stream) && stream->callbacks.on_reset) {
    stream->callbacks.on_reset(stream, &stream->reset_error, stream->user_data);
  }
}

bool wt__stream_stop(wt_stream *stream) {
  bool ask = wt__receiving_stop(&stream->receiving);
  wt__stream_discard_kept(stream);
  return ask && !stream->closed;
}

int wt_stream_stop_sending(wt_stream *stream, uint32_t code) {
  struct wt_stream_error error = {.by = WT_LOCAL, .has_code = true, .code = code, .wire_code = wt__error_to_wire(code)};
  if (!stream) return WT_ERR_INVALID;
  if (stream->uni && !stream->remote) return WT_ERR_STATE;
  if (!wt__receiving_is_open(&stream->receiving) || stream->close_told) return 0;
  if (wt__stream_stop(stream)) {
    wt__stream_fail(stream, &error);
    wt__qlog_stream_code(stream, "webtransport:stream_stopped", false, error.wire_code);
    stream->mux->transport->stop_sending(stream->mux->ctx, stream->id, error.wire_code);
  }
  wt__stream_todo_soon(stream);
  return 0;
}

void wt_stream_pause(wt_stream *stream) {
  if (stream) stream->paused = true;
}

int wt_stream_unread(wt_stream *stream, size_t len) {
  if (!stream) return WT_ERR_INVALID;
  int error = wt__receiving_unread(&stream->receiving, len);
  if (!error) stream->paused = true;
  return error;
}

void wt_stream_resume(wt_stream *stream) {
  if (!stream) return;
  stream->paused = false;
  if (wt__receiving_has_input(&stream->receiving)) wt__stream_todo_soon(stream);
}
