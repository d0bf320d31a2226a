/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_STREAM_SEND_H
#define WT_CORE_STREAM_SEND_H

/* The sending part of a stream, for the other files of a stream. What the transport calls is in mux.h. */

#include <stdbool.h>
#include <stdint.h>

#include "core/stream.h"

/* Whether a reset can leave the header to the peer at once, by RESET_STREAM_AT. */
bool wt__stream_can_reset_at(const wt_stream *stream);
/* Sends a reset now, or queues it until the peer can know which session the stream belongs to. */
void wt__stream_reset_on_wire(wt_stream *stream, uint64_t wire_code);
/* Calls `on_stop_sending`. */
void wt__stream_tell_stop(wt_stream *stream);

#endif
