/* SPDX-License-Identifier: MIT */

/* A thread has one connection at a time on which ngtcp2 works. */

#include "quic/current.h"

_Thread_local struct wt__conn *wt__conn_current;

void wt__conn_set_current(struct wt__conn *conn) { wt__conn_current = conn; }
