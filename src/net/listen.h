/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_LISTEN_H
#define WT_NET_LISTEN_H

/* The sockets behind one "address:port" of a configuration. */

#include <stddef.h>

#include "net/udp.h"

/*
 * Opens a socket for each address that `text` stands for (see `wt__address_parse`), all on one port. With
 * port 0 that port is any that is free on all of them. `sockets` holds WT__ADDRESSES_MAX.
 *
 * 0: at least one address has a socket. If one was left out, since the machine lacks its family, `message` says so;
 * otherwise it is empty.
 * WT_ERR_ADDRESS, WT_ERR_IO: `message` says what failed and names the address. Nothing stays open.
 */
int wt__listen_open(const char *text, struct wt__udp *sockets, size_t *count, char *message, size_t size);

#endif
