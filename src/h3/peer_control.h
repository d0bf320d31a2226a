/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_PEER_CONTROL_H
#define WT_H3_PEER_CONTROL_H

/* The peer's control stream: what comes on it, and who gets it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wt__h3_conn;

/* The peer has opened it: stream `id`, whose first `type_len` bytes are its type. */
void wt__peer_control_begin(struct wt__h3_conn *conn, int64_t id, size_t type_len);
/* Takes bytes of it, the type included. */
void wt__peer_control_recv(struct wt__h3_conn *conn, const uint8_t *data, size_t len, bool fin);

#endif
