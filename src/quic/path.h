/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_PATH_H
#define WT_QUIC_PATH_H

/* Paths in our form and in ngtcp2's, and as text. */

#include <stdbool.h>
#include <stddef.h>
#include <ngtcp2/ngtcp2.h>
#include <sys/socket.h>

#include "quic/endpoint.h"

#define WT__PEER_TEXT_MAX 64

void wt__path_to_quic(ngtcp2_path *dst, const struct wt__path *src);
void wt__path_from_quic(struct wt__path *dst, const ngtcp2_path *src);
bool wt__path_is(const struct wt__path *path, const ngtcp2_path *quic);
/* "192.0.2.1:4433", "[2001:db8::1]:4433"; an IPv4 address on an IPv6 socket is shown as what it is. Returns `text`. */
const char *wt__conn_address_text(const struct sockaddr_storage *address, char *text, size_t size);

#endif
