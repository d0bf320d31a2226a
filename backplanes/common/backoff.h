/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_BACKOFF_H
#define WT_BACKPLANES_BACKOFF_H

/*
 * How long to wait before the next try to reach the broker: twice as long each time, up to a maximum, and between half of
 * that and all of it by chance. Else all servers that lost a broker at the same time would come back at the same time.
 */

#include <stdint.h>

struct wt__backoff {
  uint64_t min_ms, max_ms;
  unsigned failures; /* in succession */
};

/* The wait after one more failure. `chance`: random bits. */
uint64_t wt__backoff_next(struct wt__backoff *backoff, uint32_t chance);

void wt__backoff_reset(struct wt__backoff *backoff);

#endif
