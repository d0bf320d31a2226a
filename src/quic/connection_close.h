/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CONNECTION_CLOSE_H
#define WT_QUIC_CONNECTION_CLOSE_H

/* Ends a connection with a CONNECTION_CLOSE, where one is to be sent. See connection_close.c. */

struct wt__conn;

/* Sends the CONNECTION_CLOSE that was asked for. The connection may be freed afterwards. */
void wt__conn_close_now(struct wt__conn *conn);
/* Ends a half-open connection of a server in favour of another, and frees it. */
void wt__conn_give_way(struct wt__conn *conn);
/* ngtcp2 returned the error `error`: the connection is over. It may be freed afterwards. */
void wt__conn_fail(struct wt__conn *conn, int error);

#endif
