/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_DIAL_H
#define WT_H3_DIAL_H

/* A client's requests for sessions, as its connection runs them. What callers use is in client.h. */

#include <stdint.h>

struct wt__h3_conn;

/* Asks for as many of the waiting as may be. */
void wt__dials_send(struct wt__h3_conn *conn);
void wt__dials_run(struct wt__h3_conn *conn);
/* The server will not look at streams from `id` on. */
void wt__dials_goaway(struct wt__h3_conn *conn, int64_t id);
/* The connection is over: all are told. */
void wt__dials_end(struct wt__h3_conn *conn);

#endif
