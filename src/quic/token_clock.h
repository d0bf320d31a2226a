/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_TOKEN_CLOCK_H
#define WT_QUIC_TOKEN_CLOCK_H

/* The time of day, for tokens that other machines take: what a step of the system's clock does to a token that is under
 * way. See token_clock.c. */

#include <stdbool.h>
#include <stdint.h>

struct wt__token_clock {
  bool began;
  uint64_t offset; /* of the time of day from the monotonic clock, when it was read last; modulo 2^64 */
  uint64_t before; /* likewise, before the last step */
  uint64_t until;  /* monotonic: how long tokens from before the step may come */
};

/* Notes that it is `wall` by the time of day and `now` by the monotonic clock; returns `wall`. */
uint64_t wt__token_clock_read(struct wt__token_clock *clock, uint64_t wall, uint64_t now);

/* True: the clock was set a moment ago, and `*wall` is what it would show without that. */
bool wt__token_clock_before(const struct wt__token_clock *clock, uint64_t now, uint64_t *wall);

#endif
