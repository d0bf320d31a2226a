/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_BUDGET_H
#define WT_QUIC_BUDGET_H

/* The memory that all connections of a server hold together: the sum, and its bounds. pressure.c has the idea. */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/gauge.h"

/* What a connection is taken to hold besides what is counted: TLS, keys made ready for packets, connection ids; until
 * its handshake is done, and then. Measured as the resident memory of 500 idle sessions. */
#define WT__BUDGET_HANDSHAKE (40 * 1024)
#define WT__BUDGET_CONNECTION (12 * 1024)
#define WT__BUDGET_REMAINS 640 /* of one that is closed and answers late packets: connection ids */
/* Handshakes of all connections together may hold a fourth of the memory: then the oldest give way to new ones. */
#define WT__BUDGET_HANDSHAKES_PART 4
/* When memory is full, a connection may hold so much more than an equal part. */
#define WT__BUDGET_SHARE_MORE (16 * 1024)
/* When memory stays full, nobody is closed who holds no more than this: twice what an idle session is counted for. */
#define WT__BUDGET_SMALL (128 * 1024)
/* A worker publishes what it holds when it has changed by so much, or by a 256th of a small limit. */
#define WT__BUDGET_STEP (64 * 1024)
/* Lines of each worker about what is refused. */
#define WT__BUDGET_LINES_BURST 10
#define WT__BUDGET_LINES_RATE 1 /* a second */

/* The whole server's. */
struct wt__budget {
  atomic_size_t
      used; /* as workers have published it; it changes often, so `pressure`, which is read often, stands apart */
  char apart[64];
  _Atomic int pressure; /* enum wt__pressure */
  atomic_size_t over;   /* what connections over their share hold, as workers have published it; see evict.c */
  _Atomic uint64_t full_since, evicted_at; /* times; UINT64_MAX: never yet */
};

void wt__budget_init(struct wt__budget *budget);

/* The pressure that follows from `used` bytes of `max`. It falls later than it rises, from what it was `before`. */
enum wt__pressure wt__budget_pressure(size_t used, size_t max, enum wt__pressure before);

/* What is held when memory is no longer full. */
size_t wt__budget_full_end(size_t max);

/* From how much on memory is full. */
size_t wt__budget_full(size_t max);

/* From which change on a worker tells what it holds. */
size_t wt__budget_step(size_t max);

#endif
