/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CLOSING_H
#define WT_QUIC_CLOSING_H

/* The end of a connection, and what remains of it for some time. See closing.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/error.h>

struct wt__conn;
struct wt__endpoint;
struct wt__path;

/* Frees it, whatever its state. h3 is told `party` and `code` if it was open. */
void wt__conn_free(struct wt__conn *conn, enum wt_party party, uint64_t code);
/* Sends a packet with our CONNECTION_CLOSE, and goes into the closing state. The connection may be freed afterwards. */
void wt__conn_enter_closing(struct wt__conn *conn, const struct wt__path *path, const uint8_t *packet, size_t len,
                            enum wt_party party, uint64_t code);
/* The peer has sent its CONNECTION_CLOSE. The connection may be freed afterwards. */
void wt__conn_enter_draining(struct wt__conn *conn);
/* A packet came while it is closing: sends the CONNECTION_CLOSE again if that is due. */
void wt__conn_answer_closing(struct wt__conn *conn);
/* Frees what is left of closed connections, the oldest first, until that is `bytes`. False: there was less. */
bool wt__endpoint_drop_ended(struct wt__endpoint *endpoint, size_t bytes);

#endif
