/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_RUN_H
#define WT_QUIC_RUN_H

/* A connection's turns. See run.c. */

#include <stdbool.h>

struct wt__conn;

/* Handles its timer. False: the connection has ended, and may be freed. */
bool wt__conn_expire(struct wt__conn *conn);
/* Does work that was put off, and writes packets. The connection may be freed afterwards. */
void wt__conn_run(struct wt__conn *conn);

#endif
