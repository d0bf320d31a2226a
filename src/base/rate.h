/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_RATE_H
#define WT_BASE_RATE_H

/* How often something may happen: at most `burst` times at once, and `per_second` times a second in the long run. */

#include <stdbool.h>
#include <stdint.h>

/* More than any rate that makes sense; keeps the arithmetic within 64 bits. */
#define WT__RATE_MAX 1000000000

struct wt__rate {
  uint64_t per_second, burst;
  uint64_t credit; /* of one time each 1,000,000,000 */
  uint64_t at;     /* when `credit` was right */
};

/* All of the burst is there at first. Both numbers count as WT__RATE_MAX if they are higher. `now`: nanoseconds. */
void wt__rate_init(struct wt__rate *rate, uint64_t per_second, uint64_t burst, uint64_t now);
/* Whether it may happen now; it then counts. */
bool wt__rate_take(struct wt__rate *rate, uint64_t now);
/* Whether it may happen now; it does not count. */
bool wt__rate_has(struct wt__rate *rate, uint64_t now);

#endif
