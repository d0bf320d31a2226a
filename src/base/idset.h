/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_IDSET_H
#define WT_BASE_IDSET_H

/* A set of numbers of which most are neighbours, kept as ranges. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wt__idrange {
  uint64_t from, to; /* `to` is not in it */
};

struct wt__idset {
  struct wt__idrange *ranges; /* in order, with gaps between them */
  size_t len, cap;
};

void wt__idset_init(struct wt__idset *set);
void wt__idset_free(struct wt__idset *set);
bool wt__idset_has(const struct wt__idset *set, uint64_t id);
/* Nothing happens for one that is in it; `id` is below UINT64_MAX. WT_ERR_NOMEM. */
int wt__idset_add(struct wt__idset *set, uint64_t id);

#endif
