/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_STREAM_RECV_H
#define WT_CORE_STREAM_RECV_H

/* The receiving part of a stream, for the other files of a stream. What the transport calls is in mux.h. */

#include <stdbool.h>

#include "core/stream.h"

/* Gives the kept bytes to the application, if it takes them now. They are moved out of the receiving part meanwhile,
 * because `wt_stream_stop_sending` inside the callback drops what is there. */
void wt__stream_deliver_kept(wt_stream *stream);
/* Calls `on_reset`. */
void wt__stream_tell_reset(wt_stream *stream);
/* Stops reading. Returns whether the peer has to be asked to stop. */
bool wt__stream_stop(wt_stream *stream);

#endif
