/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_WINDOW_H
#define WT_QUIC_WINDOW_H

/* How much more a peer may send on a connection: QUIC's connection window as we grant it. See window.c. */

#include <stdbool.h>
#include <stdint.h>

struct wt__window {
  uint64_t size, initial, max;
  uint64_t owed;        /* read, and not given back */
  uint64_t extended_at; /* UINT64_MAX: never yet */
};

void wt__window_init(struct wt__window *window, uint64_t initial, uint64_t max);
/* `len` bytes were read, or are not wanted. */
void wt__window_read(struct wt__window *window, uint64_t len);
/* Whether enough is owed to be worth a frame: more than a quarter of the window. */
bool wt__window_due(const struct wt__window *window);
/* By how much the peer's limit is to be extended now; the window is due. `may_grow`: there is memory enough.
 * `round_trip` has the unit of `now`. */
uint64_t wt__window_extend(struct wt__window *window, bool may_grow, uint64_t now, uint64_t round_trip);

#endif
