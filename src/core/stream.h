/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_STREAM_H
#define WT_CORE_STREAM_H

/*
 * The inside of a stream, for the files of core.
 *
 * Two lives overlap. For the application a stream ends with `on_close` (`told`); for QUIC it ends when
 * both directions are finished and acknowledged (`closed`). The record is freed after both.
 *
 *   sending:    open --end--> fin queued --all acked--> closed
 *                 \--reset--> reset_wait (header not acknowledged) --> reset
 *   receiving:  open --fin--> delivered | --reset--> told | --stop_sending--> discarding
 */

#include <stdbool.h>
#include <stdint.h>

#include <webtransport/stream.h>

#include "base/buf.h"
#include "base/list.h"
#include "core/mux.h"
#include "core/sched.h"
#include "core/sendq.h"

struct wt_stream {
  struct wt__mux *mux;
  wt_session *session; /* NULL: early, or refused */
  int64_t id, session_id;
  struct wt_stream_callbacks callbacks;
  void *user_data;

  struct wt__link link;         /* in the session's streams, or the early ones */
  struct wt__sched_entry sched; /* in mux->sched */
  struct wt__link parked;       /* in the session's flow.parked */
  struct wt__link todo;         /* in mux->todo_streams */

  struct wt__sendq sendq;
  struct wt__progress progress; /* in mux->sending */
  uint64_t acked;               /* offset below which all is acknowledged */
  size_t header_len;            /* of our own streams: bytes at the start that are not the application's */
  struct wt__buf recv;
  uint64_t received;      /* bytes of the peer, without the header */
  size_t recv_header_len; /* of the peer's streams: its header */
  uint64_t recv_promised; /* bytes without the header that a reset leaves to be read */
  uint64_t deadline;      /* of an early stream */
  size_t delivering;      /* bytes that `on_data`, which runs, was given */
  size_t unread;          /* how many of them it gave back */

  struct wt_stream_error error; /* why it did not end in order; valid if `failed` */
  uint64_t reset_code;          /* wire code, while `reset_wait` */
  struct wt_stream_error reset_error;

  bool uni, remote;
  bool has_callbacks, paused;
  bool in_on_data;
  bool gave_back;     /* `on_data`, which runs, gave some of it back; with `unread` 0: the FIN alone */
  bool recv_fin;      /* the peer's FIN is behind what `recv` holds */
  bool recv_done;     /* nothing more for `on_data`: delivered, reset or stopped */
  bool reset_behind;  /* the peer's reset is behind what `recv` holds */
  bool reset_pending; /* `on_reset` is to be called with `reset_error` */
  bool stop_pending;  /* `on_stop_sending`, which waited for the session's answer, with `error` */
  bool send_done;     /* no more writes: ended, reset, stopped */
  bool send_ended;    /* by `wt_stream_end` */
  bool reset_wait, reset_sent;
  bool blocked; /* the peer's flow control */
  bool writable_pending;
  bool failed;
  bool closed; /* QUIC is done with it */
  bool told;   /* `on_close` was called, or there is nobody to tell */
};

void wt__stream_free(wt_stream *stream);
wt_stream *wt__stream_alloc(struct wt__mux *mux, int64_t id, bool uni, bool remote);
/* Opens one of ours. */
int wt__stream_open(wt_session *session, bool uni, wt_stream **out);
/* An early or new stream of the peer gets its session; the application is told. */
void wt__stream_attach(wt_stream *stream, wt_session *session);
/* It has bytes, but the session has no credit for them. */
void wt__stream_starved(wt_stream *stream);
/* Refuses a stream that will not get a session. */
void wt__stream_refuse(wt_stream *stream, uint64_t wire_code);
void wt__stream_todo(wt_stream *stream);
/* Does what is due. Returns with the stream possibly freed. */
void wt__stream_run(wt_stream *stream);
/* Tells the application that the stream ended with its session. */
void wt__stream_tell_session_gone(wt_stream *stream);
/* Gives up those whose bytes the peer does not take. */
void wt__streams_run_progress(struct wt__mux *mux);
/* Resets and stops what is open, on the wire. */
void wt__stream_abort(wt_stream *stream, uint64_t wire_code);

#endif
