/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_INFO_H
#define WT_QUIC_INFO_H

/* What is known of a connection, for diagnosis. See info.c. */

struct wt_connection_info;

/* The transport's `get_info`; `ctx` is a wt__conn in any state. */
void wt__conn_get_info(void *ctx, struct wt_connection_info *info);

#endif
