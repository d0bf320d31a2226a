/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_DIAL_H
#define WT_H3_DIAL_H

/* A client's requests for sessions, as its connection runs them. What callers use is in client.h. */

#include <stdint.h>

struct wt__h3_conn;

/* Sends the requests of waiting dials, as many as the server and the streams allow. */
void wt__dials_send(struct wt__h3_conn *conn);
void wt__dials_run(struct wt__h3_conn *conn);
/* A GOAWAY: the server ignores requests on streams from `id` on. */
void wt__dials_goaway(struct wt__h3_conn *conn, int64_t id);
/* The connection is over: all dials get their `on_reply`. */
void wt__dials_end(struct wt__h3_conn *conn);

#endif
