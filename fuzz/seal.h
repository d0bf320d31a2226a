/* SPDX-License-Identifier: MIT */
#ifndef WT_FUZZ_SEAL_H
#define WT_FUZZ_SEAL_H

/*
 * Frames of our choice in real packets, and what comes back. The connection of the hostile end keeps its ngtcp2, which numbers
 * and seals packets, acknowledges what comes and obeys the victim's congestion; its HTTP/3 is put aside. Frames leave as
 * reset_at_send.c sends those that ngtcp2 does not know: in a DATAGRAM frame, which becomes its content when the packet is sealed.
 */

#include <stddef.h>
#include <stdint.h>

#include "quic/conn.h"

#define SEAL_PACKET_MAX 1500

/* A packet with these frames, as many as fit. Returns its length; 0: nothing may leave now. */
size_t seal_frames(struct wt__conn *conn, const uint8_t *frames, size_t len, uint8_t packet[SEAL_PACKET_MAX],
                   uint64_t now);
/* Gives a packet of the victim to ngtcp2 alone. Returns ngtcp2's answer: errors are nobody's business, but an end is one. */
int seal_hear(struct wt__conn *conn, const uint8_t *packet, size_t len, uint64_t now);

#endif
