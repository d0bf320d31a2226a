/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_DATAGRAM_LEN_H
#define WT_QUIC_DATAGRAM_LEN_H

/* How long datagrams may be. See datagram_len.c. */

#include <stdbool.h>
#include <stddef.h>

struct wt__conn;

size_t wt__conn_max_datagram_len(const struct wt__conn *conn);
/* Whether DATAGRAM frames of `len` bytes may stand for other frames (wire/quic_frame.h, carriers). */
bool wt__conn_may_carry(const struct wt__conn *conn, size_t len);
/* The same as the first, computed again. */
size_t wt__conn_find_max_datagram_len(const struct wt__conn *conn);
/* The payload of a DATAGRAM frame that fills a packet of `packet` bytes, whose number has `number_len`; 0: there is no
 * room. */
size_t wt__conn_datagram_room(const struct wt__conn *conn, size_t packet, size_t number_len);

#endif
