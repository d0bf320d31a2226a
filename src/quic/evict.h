/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_EVICT_H
#define WT_QUIC_EVICT_H

/* Who has to go when memory stays full. See evict.c. */

#include <stddef.h>
#include <stdint.h>

struct wt__endpoint;

/* Closes the connections that hold most, if memory has been full for long and closing them helps. Not inside callbacks. */
void wt__endpoint_evict(struct wt__endpoint *endpoint);
/* Publishes what this worker's connections over their share hold. */
void wt__endpoint_publish_over(struct wt__endpoint *endpoint, size_t over);
/* When to look next; UINT64_MAX: when something happens. */
uint64_t wt__endpoint_evict_expiry(const struct wt__endpoint *endpoint);

#endif
