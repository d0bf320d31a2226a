/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_LOST_TIME_H
#define WT_QUIC_LOST_TIME_H

/* How much of a turn the thread was ready to run and did not get a processor. See lost_time.c for the idea. */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define WT__LOST_SUSPECT (250 * WT__NS_PER_US)      /* between two readings of the clock: is looked into */
#define WT__LOST_SAMPLE_EVERY (250 * WT__NS_PER_US) /* the processor time is read no more often than that, ... */
#define WT__LOST_SAMPLE_EACH 64                     /* ... but in each of so many turns after one that lost time */

/* What the system says about a thread. */
struct wt__thread_time {
  uint64_t cpu;   /* nanoseconds of a processor that it has had */
  uint64_t waits; /* how often it gave the processor up, to wait for something; 0: not known */
};

struct wt__lost_time {
  bool (*read)(void *ctx, struct wt__thread_time *time); /* NULL: no time is lost */
  void *ctx;
  struct wt__thread_time last;
  bool known;       /* `last` is */
  uint64_t last_at; /* by the clock of the turn */
  uint64_t ran;     /* nanoseconds of turns since then, without those that were lost */
  unsigned each;
};

/* A turn begins at `now`. */
void wt__lost_time_begin(struct wt__lost_time *lost, uint64_t now);
/* Of the last `time` nanoseconds, which were more than WT__LOST_SUSPECT: how many were lost. */
uint64_t wt__lost_time_look(struct wt__lost_time *lost, uint64_t time, uint64_t now);

/* The same for any time. */
static inline uint64_t wt__lost_time_of(struct wt__lost_time *lost, uint64_t time, uint64_t now) {
  if (lost->known && time >= WT__LOST_SUSPECT) return wt__lost_time_look(lost, time, now);
  lost->ran += time;
  return 0;
}

#endif
