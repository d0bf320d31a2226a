/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_PROBE_H
#define WT_QUIC_PROBE_H

/* A full congestion window that nothing else would open again. See probe.c. */

#include <stddef.h>
#include <stdint.h>

struct wt__conn;

#define WT__PROBE_NUMBER UINT64_C(1) /* the number of its DATAGRAM frame; frames of datagrams have 0 */
/* A timer of ngtcp2 has fired. */
void wt__probe_expired(struct wt__conn *conn);
/* Writes the probe with which the next packet has to begin, as the payload of a DATAGRAM frame with the number `*number`.
 * Returns its length; 0: there is none. */
size_t wt__probe_next(struct wt__conn *conn, uint8_t *carrier, uint64_t *number);
/* ngtcp2 took it. */
void wt__probe_sent(struct wt__conn *conn);

#endif
