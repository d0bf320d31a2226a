/* SPDX-License-Identifier: MIT */

/* The numbers of the memory budget: when memory is full, and when it no longer is. pressure.c tells what follows. */

#include "quic/budget.h"

#include "base/gauge.h"

void wt__budget_init(struct wt__budget *budget) {
  atomic_init(&budget->used, 0);
  atomic_init(&budget->pressure, WT__PRESSURE_NONE);
  atomic_init(&budget->over, 0);
  atomic_init(&budget->full_since, UINT64_MAX);
  atomic_init(&budget->evicted_at, UINT64_MAX);
}

enum wt__pressure wt__budget_pressure(size_t used, size_t max, enum wt__pressure before) {
  size_t less = max / 16;
  if (used >= (before == WT__PRESSURE_FULL ? wt__budget_full_end(max) : wt__budget_full(max))) return WT__PRESSURE_FULL;
  if (used >= max / 2 - (before != WT__PRESSURE_NONE ? less : 0)) return WT__PRESSURE_HIGH;
  return WT__PRESSURE_NONE;
}

size_t wt__budget_full(size_t max) { return max - max / 4; }

size_t wt__budget_full_end(size_t max) { return wt__budget_full(max) - max / 16; }

size_t wt__budget_step(size_t max) { return max / 256 < WT__BUDGET_STEP ? max / 256 : WT__BUDGET_STEP; }
