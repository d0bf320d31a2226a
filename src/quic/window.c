/* SPDX-License-Identifier: MIT */

/*
 * The connection's flow-control window. ngtcp2 could grow it by itself, up to a maximum that is fixed when the connection
 * begins. Ours has to stop growing, and to shrink, when the server's memory is short. So this file decides how far the
 * peer's limit (MAX_DATA) is extended.
 *
 *      read by us              peer's limit
 *          |<------- size -------->|       after an extension
 *
 * The window follows the bandwidth-delay product. If a quarter of it is read within two round trips, the peer may be
 * waiting for us, and the window doubles. When memory is short it shrinks to its initial size: what was granted cannot be
 * taken back, but what has been read need not be granted again.
 *
 * ngtcp2 keeps the windows of single streams: all of them together are within this one.
 */

#include "quic/window.h"

#define GROWTH_ROUND_TRIPS 2

void wt__window_init(struct wt__window *window, uint64_t initial, uint64_t max) {
  *window = (struct wt__window){.size = initial, .initial = initial, .max = max, .extended_at = UINT64_MAX};
}

void wt__window_read(struct wt__window *window, uint64_t len) { window->owed += len; }

bool wt__window_due(const struct wt__window *window) { return window->owed > window->size / 4; }

static uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t wt__window_extend(struct wt__window *window, bool may_grow, uint64_t now, uint64_t round_trip) {
  uint64_t given = window->owed, size = window->size;
  bool fast = window->extended_at != UINT64_MAX && now - window->extended_at < GROWTH_ROUND_TRIPS * round_trip;
  window->owed = 0;
  window->extended_at = now;
  if (may_grow && fast && size < window->max) {
    window->size = size > window->max / 2 ? window->max : size * 2;
    given += window->size - size;
  } else if (!may_grow && size > window->initial) {
    uint64_t less = min_u64(given, size - window->initial);
    window->size -= less;
    given -= less;
  }
  return given;
}
