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

/* Numbers of DATAGRAM frames that stand for probes of a larger size, which is in the low bits. */
#define WT__MTU_PROBE_NUMBER (UINT64_C(1) << 62)
void wt__path_watch_init(struct wt__conn *conn);
/* A 1-RTT packet of `size` bytes with this header is about to be encrypted. */
#define WT__WATCHES_IN_PTO 4
static inline void wt__path_watch_sent(struct wt__conn *conn, const uint8_t *header, size_t header_len, size_t size) {
  conn->number_len = (header[0] & 3u) + 1;
  /* Each number is the one before plus one, or little more: the last byte tells it. */
  conn->last_sent += (uint8_t)(header[header_len - 1] - conn->last_sent);
  wt__path_mtu_sent(&conn->mtu, conn->last_sent, size, conn->pto / WT__WATCHES_IN_PTO, conn->endpoint->now);
}
/* The peer has sent this ACK frame for 1-RTT packets. */
void wt__path_watch_acked(struct wt__conn *conn, const struct wt__quic_frame *ack);
/* Bytes for the application came. `more`: they are not a stream's last. */
void wt__path_watch_heard(struct wt__conn *conn, bool more);
/* The DATAGRAM frame with this number has arrived. */
void wt__path_watch_passed(struct wt__conn *conn, uint64_t number);
/* Before and behind the packets of a pass, `written` bytes of them. */
void wt__path_watch_begin(struct wt__conn *conn);
void wt__path_watch_end(struct wt__conn *conn, size_t written);
/* Whether there may be a probe. */
static inline bool wt__path_watch_wants(const struct wt__conn *conn) { return conn->mtu.limit || conn->ping_wanted; }
/* The payload of the DATAGRAM frame that makes a packet the probe, or padded PING, which is due, with its number.
 * Returns its length; 0: none is due. `*size`: that of the packet. `probed`: it was sent, in `len` bytes, or could not.
 */
#define WT__MTU_PROBE_MAX 1500
size_t wt__path_watch_probe(const struct wt__conn *conn, uint8_t payload[static WT__MTU_PROBE_MAX], size_t *size,
                            uint64_t *number);
void wt__path_watch_probed(struct wt__conn *conn, size_t len, bool sent);
/* The congestion window has too little room for a probe that is due: streams are to leave it some. */
bool wt__path_watch_saves(const struct wt__conn *conn);
/* Whether the packets of this pass may bear an ECN mark. */
bool wt__path_watch_marks(struct wt__conn *conn);
/* The next time that something is due, if nothing happens before. */
uint64_t wt__path_watch_expiry(struct wt__conn *conn);
/* Does what is due. */
void wt__path_watch_expire(struct wt__conn *conn);

#endif
