/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_TURN_H
#define WT_QUIC_TURN_H

/*
 * How long one connection may keep the others of its loop waiting. See turn.c for the idea.
 *
 * A turn is what lies between two waits of the loop: packets are received, then a pass runs connections. Each
 * connection has a lane, which counts the time it takes and keeps the packets that have to wait. Packets that belong to
 * no connection share one lane.
 *
 * Without a clock nothing is measured, and nothing is put off.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/gauge.h"
#include "base/heap.h"
#include "base/log_limit.h"
#include "quic/endpoint.h"
#include "quic/lost_time.h"

#define WT__TURN_LANE_MAX (2 * WT__NS_PER_MS)   /* of a connection's packets in a turn, and of its run in the pass */
#define WT__TURN_CHEAP_MAX (8 * WT__NS_PER_MS)  /* of a connection's packets in a turn while none is expensive */
#define WT__TURN_LATE_MAX (1 * WT__NS_PER_MS)   /* of all packets that were put off, in a turn */
#define WT__TURN_ALONE_MAX (5 * WT__NS_PER_MS)  /* the same where there is one connection alone */
#define WT__TURN_TIMERS_MAX (2 * WT__NS_PER_MS) /* of all timers that are due, in a turn */
#define WT__TURN_PASS_MAX (5 * WT__NS_PER_MS)   /* of all runs in a turn */
#define WT__TURN_CLOCK_EVERY 8                  /* packets, or runs, between two readings of the clock */
#define WT__TURN_COSTLY (50 * WT__NS_PER_US)    /* of a packet, as an average of those between two readings */
#define WT__TURN_COSTLY_RUN \
  (250 * WT__NS_PER_US)                        /* likewise, of a run or a timer: more than a batch of packets takes */
#define WT__TURN_CLOCK_EACH 64                 /* after a costly packet the clock is read after each of so many */
#define WT__TURN_PUT_OFF_MAX ((size_t)1 << 20) /* bytes of a lane that wait, with what is kept beside each packet */

/* A packet that waits. */
struct wt__put_off {
  struct wt__put_off *next;
  struct wt__path path;
  size_t len;
  unsigned ecn;
  uint8_t data[];
};

struct wt__lane {
  uint64_t turn;  /* the one in which `spent` counts */
  uint64_t spent; /* nanoseconds */
  struct wt__gauge *gauge;
  struct wt__heap_node late; /* in `late` of the turn while packets wait; its key stays */
  struct wt__put_off *first, **end;
  size_t bytes;
};

struct wt__turn {
  uint64_t (*clock)(void *ctx); /* NULL: none */
  void *clock_ctx;
  struct wt__lost_time lost;
  uint64_t number;         /* of the turn */
  uint64_t clock_at;       /* the last reading of the clock */
  uint64_t at;             /* the same, without time that was lost */
  uint64_t began;          /* the first one of the turn; 0: there was none yet */
  uint64_t until;          /* when the run that is under way should end */
  struct wt__lane *lane;   /* whose time it is since `at`; NULL: nobody's */
  bool fresh;              /* `at` is now */
  unsigned unclocked;      /* packets, or smaller pieces of work, since `at` */
  unsigned runs;           /* runs since `at` */
  unsigned clock_each;     /* after each of so many more packets the clock is read, since one was costly */
  unsigned clock_each_run; /* the same for runs */
  struct wt__heap late;    /* lanes with packets that wait, ordered by the time that such packets have taken */
  uint64_t late_from;      /* the key of a lane that joins them: the time of the one that was served last */
  struct wt__log_limit lines;
  uint64_t longest_visit; /* nanoseconds of one lane in one turn */
  uint64_t put_off, dropped;
};

/* `thread_time`: see lost_time.h; NULL: no time is lost. */
void wt__turn_init(struct wt__turn *turn, uint64_t (*clock)(void *ctx),
                   bool (*thread_time)(void *ctx, struct wt__thread_time *time), void *ctx);
/* All lanes have been cleared. */
void wt__turn_free(struct wt__turn *turn);
void wt__lane_init(struct wt__lane *lane, struct wt__gauge *gauge);
/* Drops what waits. The lane may be used again or go away. */
void wt__lane_clear(struct wt__turn *turn, struct wt__lane *lane);

/* Charges the time from now on to `lane`; NULL: to nobody. Reads the clock if it was charged to another one before. */
void wt__turn_charge(struct wt__turn *turn, struct wt__lane *lane);
/* The same for a run or a timer: does not read the clock each time while work is cheap. */
void wt__turn_charge_lightly(struct wt__turn *turn, struct wt__lane *lane);
/* A packet of `lane` came: it is the lane's time. Whether it may be handled at once; else it is to be put off. */
bool wt__turn_admits(struct wt__turn *turn, struct wt__lane *lane);
/* Keeps a copy of the packet, unless it makes what waits more than `room` or the bound. False: dropped, and counted. */
bool wt__turn_put_off(struct wt__turn *turn, struct wt__lane *lane, size_t room, const struct wt__path *path,
                      unsigned ecn, const uint8_t *data, size_t len);
/* Whether there is a packet that waits. */
bool wt__turn_has_late(const struct wt__turn *turn);
/* Takes the oldest packet of the lane that has had least time, whose time it is from now on. The packet is the caller's,
 * to be freed with `wt__put_off_free`. NULL: nothing waits. */
struct wt__put_off *wt__turn_take_late(struct wt__turn *turn, struct wt__lane **lane);
/* It has been handled; `lane`, which may be gone, is charged for it. Whether less than `max` was taken since `since`. */
bool wt__turn_served(struct wt__turn *turn, struct wt__lane *lane, uint64_t since, uint64_t max);
void wt__put_off_free(struct wt__put_off *packet);

/* Whether less than `max` was taken since `since`. Reads the clock, and charges the lane that is visited. */
bool wt__turn_within(struct wt__turn *turn, uint64_t since, uint64_t max);
/* The run under way, begun at the last reading of the clock, has so long. */
void wt__turn_allow(struct wt__turn *turn, uint64_t max);
/* Whether that is not over, after a piece of work. Reads the clock, but not each time if the work is `light`: less than
 * the reading would matter, as a rule. */
bool wt__turn_has_time(struct wt__turn *turn, bool light);

/* The pass begins at `now`, which was just read. */
void wt__turn_pass(struct wt__turn *turn, uint64_t now);
/* The turn ends. Reads the clock. */
void wt__turn_end(struct wt__turn *turn);

#endif
