/* SPDX-License-Identifier: MIT */
/*
 * The sending part of a stream at work (draft sections 4.2 to 4.4): bytes of the application on their way to the
 * transport. sending.h has the states.
 *
 * Our own streams begin with a header that names the session. A reset leaves this header to the peer, and one byte
 * more if there is one: webtransport-go forgets a stream that was reset right behind its header.
 */

#include "core/stream_send.h"

#include "core/credit.h"
#include "core/qlog_events.h"
#include "core/session.h"
#include "core/stream_state.h"
#include "wire/error_code.h"

bool wt__stream_can_reset_at(const wt_stream *stream) {
  const struct wt_transport *transport = stream->mux->transport;
  return stream->sending.header_len > 0 && transport->has_reset_at && transport->has_reset_at(stream->mux->ctx);
}

void wt__stream_reset_on_wire(wt_stream *stream, uint64_t wire_code) {
  struct wt__mux *mux = stream->mux;
  struct wt__sending *sending = &stream->sending;
  uint64_t reliable = 0, end;
  if (!wt__sending_is_open(sending)) return;
  if (wt__stream_can_reset_at(stream)) reliable = sending->header_len + (wt__credit_has_byte(stream) ? 1 : 0);
  if (!wt__sending_reset(sending, wire_code, reliable, &mux->released)) {
    wt__stream_make_ready(stream);
  } else if (reliable > 0) {
    end = sending->queue.end;
    wt__qlog_stream_code(stream, "webtransport:stream_reset", false, wire_code);
    wt__stream_make_unready(stream);
    mux->transport->reset_stream_at(mux->ctx, stream->id, wire_code, reliable < end ? reliable : end, end);
  } else {
    wt__qlog_stream_code(stream, "webtransport:stream_reset", false, wire_code);
    mux->transport->reset_stream(mux->ctx, stream->id, wire_code);
    wt__stream_drop_output(stream);
  }
  mux->transport->wake(mux->ctx);
}

void wt__stream_sent(wt_stream *stream, size_t len, bool fin) {
  struct wt__sending *sending = &stream->sending;
  uint64_t payload = wt__sending_sent(sending, len, fin);
  if (stream->session && payload > 0) {
    stream->session->stats.bytes_sent += payload;
    wt__credit_sent(stream->session, payload);
  }
  /* The session had its turn, even if the stream has no more bytes. */
  wt__sched_served(&stream->mux->sched, &stream->sched);
  if (stream->on_sent) stream->on_sent(stream);
  if (wt__sendq_pending(&sending->queue)) return; /* the sender goes on with it, now or later */
  wt__sched_remove(&stream->sched);
  if (sending->state == WT__SENDING_RESET_QUEUED) wt__stream_reset_on_wire(stream, sending->reset_code);
}

void wt__stream_blocked(wt_stream *stream) {
  stream->sending.blocked = true;
  wt__sched_remove(&stream->sched);
}

void wt__stream_unblocked(wt_stream *stream) {
  stream->sending.blocked = false;
  wt__stream_make_ready(stream);
}

void wt__stream_write_closed(wt_stream *stream) { wt__stream_drop_output(stream); }

void wt__stream_recv_stop_sending(wt_stream *stream, uint64_t wire_code) {
  struct wt_stream_error error = wt__stream_error_from_wire(WT_PEER, wire_code);
  if (!wt__sending_is_open(&stream->sending)) return;
  wt__qlog_stream_code(stream, "webtransport:stream_stopped", true, wire_code);
  wt__stream_drop_output(stream); /* QUIC answers STOP_SENDING with RESET_STREAM by itself */
  wt__stream_fail(stream, &error);
  if (wt__stream_waits_for_answer(stream)) {
    stream->sending.tell_stop = true;
  } else if (!stream->close_told && stream->session && !wt__stream_session_closed_here(stream) &&
             stream->callbacks.on_stop_sending) {
    stream->callbacks.on_stop_sending(stream, &error, stream->user_data);
  }
}

void wt__stream_tell_stop(wt_stream *stream) {
  stream->sending.tell_stop = false;
  if (!stream->close_told && !wt__stream_session_closed_here(stream) && stream->callbacks.on_stop_sending) {
    stream->callbacks.on_stop_sending(stream, &stream->error, stream->user_data);
  }
}

void wt__stream_lacks_credit(wt_stream *stream) {
  if (stream->sending.state != WT__SENDING_RESET_QUEUED) {
    wt__credit_park(stream);
    return;
  }
  /* A reset does not wait for the session's credit: it does without the byte behind the header. */
  wt__sendq_drop_unsent(&stream->sending.queue, stream->sending.header_len, &stream->mux->released);
  wt__stream_make_unready(stream);
  wt__stream_reset_on_wire(stream, stream->sending.reset_code);
}

void wt__stream_acked(wt_stream *stream, uint64_t offset) {
  struct wt__sending *sending = &stream->sending;
  if (wt__sending_acked(sending, offset, &stream->mux->released)) {
    sending->tell_writable = true;
    wt__stream_todo(stream);
  }
  if (sending->state == WT__SENDING_RESET_QUEUED && sending->acked >= sending->header_len) {
    wt__stream_reset_on_wire(stream, sending->reset_code);
  }
}

static int stream_write_state(const wt_stream *stream) {
  if (!stream) return WT_ERR_INVALID;
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
  if (!error) wt__stream_make_ready(stream);
  if (written) *written = taken;
  return error;
}

int wt_stream_write_owned(wt_stream *stream, const void *data, size_t len, wt_release_callback release,
                          void *user_data) {
  int error = stream_write_state(stream);
  if (!error && (!data || len == 0 || !release)) error = WT_ERR_INVALID;
  if (!error) error = wt__sendq_append_owned(&stream->sending.queue, data, len, release, user_data);
  if (!error) wt__stream_make_ready(stream);
  return error;
}

size_t wt_stream_writable(wt_stream *stream) {
  return stream_write_state(stream) == 0 ? wt__sendq_ask_room(&stream->sending.queue) : 0;
}

int wt_stream_end(wt_stream *stream) {
  int error = stream_write_state(stream);
  if (error) return error;
  wt__sending_end(&stream->sending);
  wt__stream_make_ready(stream);
  return 0;
}

int wt_stream_reset(wt_stream *stream, uint32_t code) {
  struct wt_stream_error error = {.by = WT_LOCAL, .has_code = true, .code = code, .wire_code = wt__error_to_wire(code)};
  if (!stream) return WT_ERR_INVALID;
  if (stream->uni && stream->remote) return WT_ERR_STATE;
  if (!wt__sending_is_open(&stream->sending) || stream->sending.state == WT__SENDING_RESET_QUEUED ||
      stream->close_told) {
    return 0;
  }
  wt__stream_fail(stream, &error);
  wt__stream_reset_on_wire(stream, error.wire_code);
  return 0;
}
