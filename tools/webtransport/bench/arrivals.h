/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_ARRIVALS_H
#define WEBTRANSPORT_TOOL_ARRIVALS_H

#include <stdint.h>

/* Which messages of a publisher have come to a subscriber. All zero: none. */
struct arrivals {
  uint64_t next; /* the highest number that came, plus 1 */
  uint64_t seen; /* bit i: number next - 1 - i has come */
};

enum arrival {
  ARRIVAL_NEW,       /* its number is the highest so far */
  ARRIVAL_OVERTAKEN, /* it came for the first time, after one with a higher number */
  ARRIVAL_AGAIN,     /* it has come before */
};

/* Notes that message `number` has come. */
enum arrival arrivals_add(struct arrivals *arrivals, uint64_t number);

#endif
