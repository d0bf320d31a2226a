/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_PATH_WATCH_H
#define WT_QUIC_PATH_WATCH_H

/* What packets, acknowledgements and silence tell about the path. See path_watch.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/path_mtu.h"
#include "wire/quic_frame.h"

/* A DATAGRAM frame with this bit in its number stands for a probe of a larger packet size; the size is in the low bits. */
#define WT__MTU_PROBE_NUMBER (UINT64_C(1) << 62)
#define WT__MTU_PROBE_MAX 1500
#define WT__WATCHES_IN_PTO 4

void wt__path_watch_init(struct wt__conn *conn);
/* A 1-RTT packet of `size` bytes with this header is about to be encrypted. */
static inline void wt__path_watch_sent(struct wt__conn *conn, const uint8_t *header, size_t header_len, size_t size) {
  conn->number_len = (header[0] & 3u) + 1;
  /* Each number is the one before plus one, or little more: the last byte tells it. */
  conn->last_sent += (uint8_t)(header[header_len - 1] - conn->last_sent);
  wt__path_mtu_sent(&conn->mtu, conn->last_sent, size, conn->pto / WT__WATCHES_IN_PTO, conn->endpoint->now);
}
/* The peer has sent this ACK frame for 1-RTT packets. */
void wt__path_watch_acked(struct wt__conn *conn, const struct wt__quic_frame *ack);
/* Stream bytes came. `more`: they are not the stream's last ones. */
void wt__path_watch_data_received(struct wt__conn *conn, bool more);
/* The DATAGRAM frame with this number has arrived. */
void wt__path_watch_probe_arrived(struct wt__conn *conn, uint64_t number);
/* Called before and after the packets of a pass are written; `written`: their bytes. */
void wt__path_watch_begin(struct wt__conn *conn);
void wt__path_watch_end(struct wt__conn *conn, size_t written);
/* The socket has refused packets of `size` bytes as too large. */
void wt__path_watch_refused(struct wt__conn *conn, size_t size);
/* Whether a probe may be due. */
static inline bool wt__path_watch_may_probe(const struct wt__conn *conn) {
  return conn->mtu.limit || conn->ping_wanted;
}
/* Writes the payload of a DATAGRAM frame that makes its packet the probe or padded PING that is due, and the frame's
 * number. `*size`: the size of the packet. Returns the payload's length; 0: none is due. */
size_t wt__path_watch_probe(const struct wt__conn *conn, uint8_t payload[static WT__MTU_PROBE_MAX], size_t *size,
                            uint64_t *number);
/* The probe was sent in `len` bytes; `sent` is false: it could not be sent. */
void wt__path_watch_probed(struct wt__conn *conn, size_t len, bool sent);
/* Whether streams have to leave room in the congestion window, because a probe that is due needs it. */
bool wt__path_watch_reserves_window(const struct wt__conn *conn);
/* Whether the packets of this pass may bear an ECN mark. */
bool wt__path_watch_may_mark_ecn(struct wt__conn *conn);
/* When something is due next, if nothing happens before. */
uint64_t wt__path_watch_expiry(struct wt__conn *conn);
/* Does what is due. */
void wt__path_watch_expire(struct wt__conn *conn);

#endif
