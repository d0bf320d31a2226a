/* SPDX-License-Identifier: MIT */
/*
 * Tells duplicates from messages that were overtaken, in 16 bytes for each pair of publisher and subscriber: ten thousand
 * subscribers leave no room for a list. Of the 64 highest numbers it is known exactly whether they have come. A message
 * that more than 63 others have overtaken counts as one that has not come before.
 */
#include "bench/arrivals.h"

enum {
  WIDTH = 64
};

enum arrival arrivals_add(struct arrivals *arrivals, uint64_t number) {
  if (number >= arrivals->next) {
    uint64_t shift = number + 1 - arrivals->next;
    arrivals->seen = shift < WIDTH ? arrivals->seen << shift | 1 : 1;
    arrivals->next = number + 1;
    return ARRIVAL_NEW;
  }
  uint64_t below = arrivals->next - 1 - number;
  if (below >= WIDTH) return ARRIVAL_OVERTAKEN;
  uint64_t bit = UINT64_C(1) << below;
  if (arrivals->seen & bit) return ARRIVAL_AGAIN;
  arrivals->seen |= bit;
  return ARRIVAL_OVERTAKEN;
}
