/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_SNAPSHOT_H
#define WT_NET_SNAPSHOT_H

/* What is known of a connection, kept when the connection goes. */

#include <webtransport/connection.h>

struct wt__snapshot {
  struct wt_connection_info info; /* its pointers point into the same block */
};

/* Copies all of `info`. NULL: out of memory. */
struct wt__snapshot *wt__snapshot_take(const struct wt_connection_info *info);
void wt__snapshot_free(struct wt__snapshot *kept);

#endif
