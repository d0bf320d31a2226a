/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_TIMER_H
#define WT_NET_TIMER_H

/* Timers of a client: something that wants to be called at a time. */

#include <stdint.h>

#include <webtransport/client.h>

#include "base/heap.h"

/* It is in the client's `timers` from its beginning to its end. */
struct wt__timer {
  struct wt__heap_node node; /* its key is the time; UINT64_MAX: not set */
  void (*due)(struct wt__timer *timer, uint64_t now);
};

/* WT_ERR_NOMEM. */
int wt__timer_init(wt_client *client, struct wt__timer *timer, void (*due)(struct wt__timer *timer, uint64_t now));
void wt__timer_set(wt_client *client, struct wt__timer *timer, uint64_t at);
void wt__timer_free(wt_client *client, struct wt__timer *timer);
/* Calls those that are due at `now`. */
void wt__timers_run(wt_client *client, uint64_t now);

#endif
