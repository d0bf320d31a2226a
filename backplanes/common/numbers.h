/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_NUMBERS_H
#define WT_BACKPLANES_NUMBERS_H

/*
 * The numbers that a publisher gives to its messages: the next one of each topic. The number of topics is bounded: the
 * topic that was not used for the longest time is forgotten, and begins again with another epoch (envelope.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "names.h"

struct wt__numbers {
  struct wt__names topics;
  struct wt__list recent; /* the one that was used last at the end */
  size_t count, max;
  uint64_t epoch; /* of the next topic */
};

void wt__numbers_init(struct wt__numbers *numbers, size_t max);
void wt__numbers_free(struct wt__numbers *numbers);

/* False: out of memory. */
bool wt__numbers_next(struct wt__numbers *numbers, const char *topic, size_t len, uint64_t *epoch, uint64_t *number);

#endif
