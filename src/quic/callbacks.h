/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CALLBACKS_H
#define WT_QUIC_CALLBACKS_H

/* What ngtcp2 reports, passed on to h3. See callbacks.c. */

#include <ngtcp2/ngtcp2.h>

struct wt__conn;

void wt__conn_set_callbacks(ngtcp2_callbacks *callbacks);
/* Tells h3 of acknowledgements that were kept until ngtcp2 has read the packet. */
void wt__conn_deliver_acked(struct wt__conn *conn);

#endif
