/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_STREAM_H
#define WT_CORE_STREAM_H

/*
 * The inside of a stream, for the files of core.
 *
 * A stream has a sending part and a receiving part, each with a state of its own: see sending.h and receiving.h. This
 * file ties them to the session, the scheduler, the session's credit and the application's callbacks.
 *
 * A stream ends twice, in either order. For the application it ends with `on_close` (`close_told`). For QUIC it ends
 * when both parts are finished and acknowledged (`closed`). The record is freed after both.
 */

#include <stdbool.h>
#include <stdint.h>

#include <webtransport/stream.h>

#include "base/list.h"
#include "core/mux.h"
#include "core/receiving.h"
#include "core/sched.h"
#include "core/sending.h"

struct wt_stream {
  struct wt__mux *mux;
  wt_session *session;    /* NULL: early, or refused */
  int64_t id, session_id; /* `session_id`: -1 until it is known */
  struct wt_stream_callbacks callbacks;
  void *user_data;
  void (*on_sent)(
      wt_stream *stream); /* bytes were handed to the transport, in the middle of writing packets; NULL: none */

  struct wt__link link;         /* in the session's streams, or the early ones */
  struct wt__sched_entry sched; /* in mux->sched */
  struct wt__link parked;       /* in the session's flow.parked */
  struct wt__link todo;         /* in mux->todo_streams */

  struct wt__sending sending;
  struct wt__progress progress; /* in mux->sending */
  struct wt__receiving receiving;
  uint64_t deadline; /* when an early stream is refused */

  struct wt_stream_error error;       /* the first reason why it did not end in order; valid if `failed` */
  struct wt_stream_error reset_error; /* of the peer's reset */

  bool uni, remote;
  bool has_callbacks, paused;
  bool failed;
  bool closed;     /* QUIC has closed it */
  bool close_told; /* `on_close` was called, or there is nobody to tell */
};

void wt__stream_free(wt_stream *stream);
wt_stream *wt__stream_alloc(struct wt__mux *mux, int64_t id, bool uni, bool remote);
/* Opens one of ours. */
int wt__stream_open(wt_session *session, bool uni, wt_stream **out);
/* Gives an early or a new stream of the peer to its session, and tells the application. */
void wt__stream_attach(wt_stream *stream, wt_session *session);
/* The stream has bytes, but its session has no credit for them. */
void wt__stream_lacks_credit(wt_stream *stream);
/* Refuses a stream of the peer that gets no session. */
void wt__stream_refuse(wt_stream *stream, uint64_t wire_code);
/* Makes the next `wt__mux_run` call `wt__stream_run`. */
void wt__stream_todo(wt_stream *stream);
/* Makes the callbacks that wait. May free the stream. */
void wt__stream_run(wt_stream *stream);
/* The session has ended: calls `on_close` of the stream. */
void wt__stream_tell_session_gone(wt_stream *stream);
/* Gives up streams whose bytes the peer does not take. */
void wt__streams_run_progress(struct wt__mux *mux);
/* Resets the sending part and stops the receiving part, if they are open. The application hears nothing. */
void wt__stream_abort(wt_stream *stream, uint64_t wire_code);

#endif
