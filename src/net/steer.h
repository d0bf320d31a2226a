/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_STEER_H
#define WT_NET_STEER_H

/* Which of the sockets that share an address gets a packet. */

#include <stdbool.h>
#include <stddef.h>

#include "net/udp.h"

/* From now on the one of `workers` sockets that the packet's connection id names, in the order in which they were
 * bound; `first` is the first of them. The ids in short headers have `cid_len` bytes, at least 1. False: the kernel
 * does not know how, and goes by the addresses. */
bool wt__steer(const struct wt__udp *first, size_t cid_len, unsigned workers);

#endif
