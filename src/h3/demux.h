/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_DEMUX_H
#define WT_H3_DEMUX_H

/* Whose stream is it? What QUIC reports of streams is in conn.h; this is what h3 asks. */

#include <nghttp3/nghttp3.h>

struct wt__h3_conn;

/* Shows nghttp3 how far the peer's ids are used up, before it sends a GOAWAY: that names the first one that was not seen
 * yet, and streams that were diverted to core count as seen. */
void wt__demux_tell_diverted(struct wt__h3_conn *conn);

#endif
