/* SPDX-License-Identifier: MIT */

/*
 * The wait before the next try: see backoff.h.
 */

#include "backoff.h"

uint64_t wt__backoff_next(struct wt__backoff *backoff, uint32_t chance) {
  uint64_t wait = backoff->min_ms;
  for (unsigned i = 0; i < backoff->failures && wait < backoff->max_ms; i++) wait *= 2;
  if (wait > backoff->max_ms) wait = backoff->max_ms;
  if (backoff->failures < 64) backoff->failures++;
  return wait - wait / 2 * chance / UINT32_MAX;
}

void wt__backoff_reset(struct wt__backoff *backoff) { backoff->failures = 0; }
