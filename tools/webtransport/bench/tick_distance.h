/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_TICK_DISTANCE_H
#define WEBTRANSPORT_TOOL_TICK_DISTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/histogram.h"

/* How late ticks come. All zero: none came yet. */
struct tick_distances {
  bool any;
  int64_t earliest; /* arrival, less the time of the grid: nanoseconds */
  struct histogram late;
};

/* A tick came `offset` nanoseconds after its place in the grid, by clocks that need not agree. Not `counted`: it only
 * tells how early ticks can come. */
void tick_distances_add(struct tick_distances *distances, int64_t offset, bool counted);

/* Adds what `other` holds, by the earlier of the two. Both are by the same clocks. */
void tick_distances_merge(struct tick_distances *distances, const struct tick_distances *other);

#endif
