/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_WAKE_H
#define WT_QUIC_WAKE_H

/* Marks on a connection that its next run acts upon: it is to be run, or to be closed. See wake.c. */

#include <stdint.h>

#include <webtransport/session.h>

struct wt__conn;

/* Runs it in the next pass. */
void wt__conn_wake(struct wt__conn *conn);
/* Notes that the connection is to end with an HTTP/3 code; the first call counts. */
void wt__conn_want_close(struct wt__conn *conn, enum wt_party party, uint64_t code, const char *reason);
/* A packet came or goes: what packets need is kept. */
void wt__conn_touch(struct wt__conn *conn);
/* The handshake is done, or given up: it is no longer among the half-open ones. */
void wt__conn_leave_half_open(struct wt__conn *conn);

#endif
