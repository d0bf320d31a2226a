/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_TICK_H
#define WEBTRANSPORT_TOOL_TICK_H

#include <stdint.h>

/* Bounds of /tick. A datagram of that size fits into a packet of 1,200 bytes, which every path carries. */
enum {
  TICK_HZ_DEFAULT = 60,
  TICK_HZ_MAX = 1000,
  TICK_BYTES_DEFAULT = 60,
  TICK_BYTES_MIN = 24,
  TICK_BYTES_MAX = 1024,
  MOVE_BYTES_MIN = 8,
};

/* How a datagram of the server begins: three numbers of 8 bytes, the highest byte first. */
struct tick {
  uint64_t number;   /* it was due this many intervals after the first tick */
  uint64_t next;     /* the highest number of a datagram that came from this player, plus 1 */
  uint64_t received; /* how many came from this player */
};

void tick_write(uint8_t *data, const struct tick *tick);
void tick_read(const uint8_t *data, struct tick *tick);

/* How a datagram of a player begins: the number of those before it, in the same form. */
void move_write(uint8_t *data, uint64_t number);
uint64_t move_read(const uint8_t *data);

/* When tick `number` is due, in nanoseconds after tick 0. */
uint64_t tick_due(uint64_t number, uint64_t hz);
/* The last tick that is due `ns` nanoseconds after tick 0. */
uint64_t tick_at(uint64_t ns, uint64_t hz);

#endif
