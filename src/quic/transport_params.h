/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_TRANSPORT_PARAMS_H
#define WT_QUIC_TRANSPORT_PARAMS_H

/* Settings and transport parameters of a connection, for both sides. See transport_params.c. */

#include <ngtcp2/ngtcp2.h>

struct wt__conn;
struct wt__endpoint;

#define WT__RESERVED_UNI_STREAMS 3 /* HTTP/3's control and QPACK streams of the peer */

void wt__conn_settings(ngtcp2_settings *settings, struct wt__conn *conn);
void wt__conn_params(ngtcp2_transport_params *params, const struct wt__endpoint *endpoint);

#endif
