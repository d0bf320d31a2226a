/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_RATE_H
#define WEBTRANSPORT_TOOL_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A limit on bytes, or on anything else that is counted, per second: a bucket that holds what may pass in one second.
 * Begins as all zero: full. */
struct rate {
  uint64_t missing;   /* from a full bucket, in bytes */
  uint64_t filled_ms; /* when `missing` was right */
};

/* Returns how many of `wanted` bytes may be sent at the time `now_ms`. `per_second` 0: all. */
size_t rate_room(struct rate *rate, uint64_t per_second, uint64_t now_ms, size_t wanted);

/* Counts bytes that were sent. */
void rate_take(struct rate *rate, uint64_t per_second, size_t bytes);

#endif
