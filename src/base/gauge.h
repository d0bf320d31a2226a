/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_GAUGE_H
#define WT_BASE_GAUGE_H

/*
 * How many bytes a connection holds, and, through that, its worker of a server. Whoever allocates for a connection says
 * so here, and says it again with the same number when it frees.
 *
 * Plain integers of one thread: this is done for each stream, buffer and chunk. What workers hold together, and what
 * follows from it, is the business of quic/pressure.c, which leaves its verdict in the sum for those above to look at.
 *
 * A gauge of NULL counts nothing, and its verdict is that there is memory enough: clients have none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log_limit.h"

/* How much of the server's memory is in use. */
enum wt__pressure {
  WT__PRESSURE_NONE = 0,
  WT__PRESSURE_HIGH = 1, /* windows and queues do not grow any more */
  WT__PRESSURE_FULL = 2, /* nothing new is begun, and nobody gets more than a share */
};

/* A worker's sum. */
struct wt__gauge_sum {
  size_t bytes;
  enum wt__pressure pressure;
  size_t share;               /* what a connection may hold; SIZE_MAX unless FULL */
  struct wt__log_limit lines; /* in the log, about what was refused */
};

/* A connection's part of the sum. */
struct wt__gauge {
  size_t bytes;  /* without what is queued to be sent */
  size_t queued; /* what is queued to be sent, or not acknowledged yet */
  struct wt__gauge_sum *sum;
  size_t queue_wanted; /* what a stream's queue needs to keep the path busy; 0: not known */
};

static inline void wt__gauge_add(struct wt__gauge *gauge, size_t bytes) {
  if (!gauge) return;
  gauge->bytes += bytes;
  gauge->sum->bytes += bytes;
}

static inline void wt__gauge_remove(struct wt__gauge *gauge, size_t bytes) {
  if (!gauge) return;
  gauge->bytes -= bytes;
  gauge->sum->bytes -= bytes;
}

/* What is queued to be sent counts apart: a connection that has much of it must be heard all the same, since its
 * acknowledgements are what makes it less. */
static inline void wt__gauge_add_queued(struct wt__gauge *gauge, size_t bytes) {
  if (!gauge) return;
  gauge->queued += bytes;
  gauge->sum->bytes += bytes;
}

static inline void wt__gauge_remove_queued(struct wt__gauge *gauge, size_t bytes) {
  if (!gauge) return;
  gauge->queued -= bytes;
  gauge->sum->bytes -= bytes;
}

static inline size_t wt__gauge_total(const struct wt__gauge *gauge) { return gauge->bytes + gauge->queued; }

static inline struct wt__gauge_sum *wt__gauge_sum_of(const struct wt__gauge *gauge) {
  return gauge ? gauge->sum : NULL;
}

static inline enum wt__pressure wt__gauge_pressure(const struct wt__gauge_sum *sum) {
  return sum ? sum->pressure : WT__PRESSURE_NONE;
}

#endif
