/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_HISTOGRAM_H
#define WT_BASE_HISTOGRAM_H

/*
 * How often a duration was how long: a count for each of a few fixed ranges, and the sum. One thread records, any thread may
 * read. So the counts are atomics, but recording needs no atomic addition: it costs a load and a store, twice.
 */

#include <stdatomic.h>
#include <stdint.h>

enum {
  WT__HISTOGRAM_BOUNDS = 14
};

struct wt__histogram {
  const uint64_t *bounds; /* WT__HISTOGRAM_BOUNDS of them in nanoseconds, growing; a range includes its bound */
  _Atomic uint64_t counts[WT__HISTOGRAM_BOUNDS + 1]; /* the last: longer than all bounds */
  _Atomic uint64_t sum;                              /* in nanoseconds */
};

/* Adds to a count that only this thread writes. */
static inline void wt__count_add(_Atomic uint64_t *count, uint64_t value) {
  atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + value, memory_order_relaxed);
}

static inline void wt__histogram_record(struct wt__histogram *histogram, uint64_t ns) {
  unsigned range = 0;
  while (range < WT__HISTOGRAM_BOUNDS && ns > histogram->bounds[range]) range++;
  wt__count_add(&histogram->counts[range], 1);
  wt__count_add(&histogram->sum, ns);
}

#endif
