/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_RECV_H
#define WT_QUIC_RECV_H

/* Packets of a connection, as they come. See recv.c. */

#include <stddef.h>
#include <stdint.h>

struct wt__conn;
struct wt__path;

/* Reads a UDP payload. The connection may be freed afterwards. */
void wt__conn_recv(struct wt__conn *conn, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len);

#endif
