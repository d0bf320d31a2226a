/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_STOPS_H
#define WT_QUIC_STOPS_H

/* The peer's STOP_SENDING frames: from their packet to h3. See stops.c. */

#include <stdint.h>

struct wt__conn;

/* Notes a frame of the datagram that is being read. */
void wt__stops_add(struct wt__conn *conn, int64_t id, uint64_t code);
/* ngtcp2 has accepted the datagram: tells h3. */
void wt__stops_deliver(struct wt__conn *conn);
void wt__stops_free(struct wt__conn *conn);

#endif
