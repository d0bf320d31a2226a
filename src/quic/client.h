/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CLIENT_H
#define WT_QUIC_CLIENT_H

/* What a client's connections do that a server's do not: client.c, client_keep.c, client_end.c. */

#include <stddef.h>
#include <stdint.h>

struct wt__conn;
struct wt__endpoint;
struct wt__resumption_item;
struct wt__path;

/* --- client.c --- */

/* A packet of no known connection, at a client: it may be a stateless reset. */
void wt__endpoint_recv_client_unknown(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
                                      size_t len);

/* --- client_keep.c --- */

/* The server sent a token in a NEW_TOKEN frame. */
void wt__conn_client_keep_token(struct wt__conn *conn, const uint8_t *token, size_t len);
/* Frees the ticket and the token that were used, if the server has answered. Else they go back for the next attempt. */
void wt__conn_client_release_resumption(struct wt__conn *conn);
/* Takes a token that was kept for the server; the caller frees it. NULL: there is none. */
struct wt__resumption_item *wt__conn_client_take_token(struct wt__conn *conn, uint32_t version);

/* --- client_end.c --- */

/* Tells h3 why the connection ends: `error` is an error of ngtcp2, or 0 where `conn->close_code` says it. */
void wt__conn_client_explain(struct wt__conn *conn, int error);

#endif
