/* SPDX-License-Identifier: MIT */
/*
 * How far from the ideal grid ticks arrive. Tick n is due at n intervals after tick 0, but by the server's clock, which is
 * not ours, and the way here takes time, too. Both are the same for all ticks, so the tick that came earliest, measured
 * against the grid, stands for "in time", and the distance of any other is how much later it came.
 *
 * The earliest tick is not known before the end, and there are too many of them to keep all. So they are counted by their
 * distance from the earliest so far. When a tick comes that is earlier still, what was counted moves up by the
 * difference. That happens a few times at the beginning and hardly ever later; each time costs at most 1/256 of a
 * distance in accuracy.
 *
 * Two clocks that do not run at the same speed make distances grow with the length of the run: by 10 us a second on
 * clocks that are 10 parts in a million apart. On one machine there is but one clock.
 */
#include "bench/tick_distance.h"

static void earliest_set(struct tick_distances *distances, int64_t offset) {
  if (distances->any && offset >= distances->earliest) return;
  if (distances->any) histogram_shift(&distances->late, (uint64_t)(distances->earliest - offset));
  distances->any = true;
  distances->earliest = offset;
}

void tick_distances_add(struct tick_distances *distances, int64_t offset, bool counted) {
  earliest_set(distances, offset);
  if (counted) histogram_add(&distances->late, (uint64_t)(offset - distances->earliest));
}

void tick_distances_merge(struct tick_distances *distances, const struct tick_distances *other) {
  struct histogram late = other->late;
  if (!other->any) return;
  earliest_set(distances, other->earliest);
  histogram_shift(&late, (uint64_t)(other->earliest - distances->earliest));
  histogram_merge(&distances->late, &late);
}
