/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_ACCEPT_H
#define WT_QUIC_ACCEPT_H

/* Packets that belong to no connection. See accept.c. */

#include <stddef.h>
#include <stdint.h>

struct wt__endpoint;
struct wt__path;

/* A packet whose id is unknown. */
void wt__endpoint_recv_unknown(struct wt__endpoint *endpoint, const struct wt__path *path, unsigned ecn,
                               const uint8_t *data, size_t len);

#endif
