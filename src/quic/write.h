/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_WRITE_H
#define WT_QUIC_WRITE_H

/* The packets of one connection in one pass. See write.c. */

#include <stdbool.h>

struct wt__conn;

/* Writes what may be written now; 0 or an error of ngtcp2. `*more`: stopped by the quantum of a pass. */
int wt__conn_write(struct wt__conn *conn, bool *more);

#endif
