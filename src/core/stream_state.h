/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_STREAM_STATE_H
#define WT_CORE_STREAM_STATE_H

/* Small calls that all files of a stream make: stream.c, stream_recv.c, stream_send.c, stream_progress.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/stream.h"

/* The application has called us, and the connection has to run for it. */
void wt__stream_todo_soon(wt_stream *stream);
/* Puts it into the scheduler, if it has something to send and nothing is in its way. */
void wt__stream_make_ready(wt_stream *stream);
void wt__stream_make_unready(wt_stream *stream);
/* So many of its bytes were read or dropped: the peer may send as many more. */
void wt__stream_consume(wt_stream *stream, size_t len);
/* Nobody will read the kept bytes: their credit goes back to the windows of the connection and the session. */
void wt__stream_discard_kept(wt_stream *stream);
/* The transport has reset the stream, and reads its bytes no more. */
void wt__stream_drop_output(wt_stream *stream);
/* Notes why it did not end in order. The first reason counts. */
void wt__stream_fail(wt_stream *stream, const struct wt_stream_error *error);
/* Calls `on_close`, once. `error` is NULL after an orderly end. */
void wt__stream_tell_close(wt_stream *stream, const struct wt_stream_error *error);
/* The server has not answered yet: of all callbacks, the application gets `on_writable` only. */
bool wt__stream_waits_for_answer(const wt_stream *stream);
/* The application has closed the session: it gets `on_close` only. */
bool wt__stream_session_closed_here(const wt_stream *stream);
struct wt_stream_error wt__stream_error_from_wire(enum wt_party by, uint64_t wire_code);

#endif
