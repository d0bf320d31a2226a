/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_EVICT_H
#define WT_QUIC_EVICT_H

/* Who has to go when memory stays full. See evict.c. */

#include <stddef.h>
#include <stdint.h>

struct wt__endpoint;

/* Closes connections that hold most, if memory has been full for long and that helps. Not inside callbacks. */
void wt__endpoint_evict(struct wt__endpoint *endpoint);
/* Tells other workers what this one's connections over their share hold. */
void wt__endpoint_tell_over(struct wt__endpoint *endpoint, size_t over);
/* When it is to be looked at next; UINT64_MAX: when something happens. */
uint64_t wt__endpoint_evict_expiry(const struct wt__endpoint *endpoint);

#endif
