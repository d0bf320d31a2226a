/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_TRANSPORT_H
#define WT_QUIC_TRANSPORT_H

/* What h3 may ask of a QUIC connection. See transport.c. */

#include "core/transport.h"

extern const struct wt_transport wt__quic_transport; /* ctx: a wt__conn */

#endif
