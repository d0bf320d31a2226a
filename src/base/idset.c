/* SPDX-License-Identifier: MIT */

/*
 * Numbers that are handed out in order and arrive almost in order: after millions of them the set is still
 * one range, with a few more behind it while some are missing in between.
 *
 *   [0, 1000) [1002, 1003) [1007, 1009)
 *
 * Ranges stand in an array and are found by bisection. The array does not shrink: whoever limits the gaps
 * (for stream ids, QUIC's limit on open streams) limits its length.
 */

#include "base/idset.h"

#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"

void wt__idset_init(struct wt__idset *set) { memset(set, 0, sizeof(*set)); }

void wt__idset_free(struct wt__idset *set) {
  wt__free(set->ranges);
  wt__idset_init(set);
}

/* The index of the first range that ends at or behind `id`; `len` if there is none. */
static size_t range_find(const struct wt__idset *set, uint64_t id) {
  size_t low = 0, high = set->len;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (set->ranges[middle].to < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bool wt__idset_has(const struct wt__idset *set, uint64_t id) {
  size_t i = range_find(set, id);
  return i < set->len && set->ranges[i].from <= id && id < set->ranges[i].to;
}

static int range_insert(struct wt__idset *set, size_t at, uint64_t id) {
  if (set->len == set->cap) {
    size_t cap = set->cap ? set->cap * 2 : 1; /* most sets stay at one range */
    struct wt__idrange *ranges = wt__realloc(set->ranges, cap * sizeof(*ranges));
    if (!ranges) return WT_ERR_NOMEM;
    set->ranges = ranges;
    set->cap = cap;
  }
  memmove(set->ranges + at + 1, set->ranges + at, (set->len - at) * sizeof(*set->ranges));
  set->ranges[at] = (struct wt__idrange){id, id + 1};
  set->len++;
  return 0;
}

static void range_remove(struct wt__idset *set, size_t at) {
  set->len--;
  memmove(set->ranges + at, set->ranges + at + 1, (set->len - at) * sizeof(*set->ranges));
}

int wt__idset_add(struct wt__idset *set, uint64_t id) {
  if (wt__idset_has(set, id)) return 0;
  size_t i = range_find(set, id);
  if (i < set->len && set->ranges[i].to == id) {
    set->ranges[i].to++;
    if (i + 1 < set->len && set->ranges[i + 1].from == id + 1) {
      set->ranges[i].to = set->ranges[i + 1].to;
      range_remove(set, i + 1);
    }
    return 0;
  }
  if (i < set->len && set->ranges[i].from == id + 1) {
    set->ranges[i].from = id;
    return 0;
  }
  return range_insert(set, i, id);
}
