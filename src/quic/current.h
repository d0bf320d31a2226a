/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CURRENT_H
#define WT_QUIC_CURRENT_H

/*
 * The connection whose packets ngtcp2 reads or writes on this thread, for callbacks without user data (callbacks.c);
 * NULL: none.
 */

struct wt__conn;

void wt__conn_set_current(struct wt__conn *conn);
extern _Thread_local struct wt__conn *wt__conn_current;

#endif
