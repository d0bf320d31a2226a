/* SPDX-License-Identifier: MIT */
#ifndef WT_BENCH_LINE_H
#define WT_BENCH_LINE_H

/*
 * One direction of an emulated link, without sockets and without a clock: told when a packet came, it says when the packet
 * leaves at the other end, or that it is lost.
 *
 *     packet --chance--> queue, bounded in bytes --rate--> wire, a fixed time long --> out
 *               |             |                              |
 *             lost       full: lost              some take longer: reordered
 *
 * All times follow from arrival times, never from when this program ran. So a late wake-up delays packets that are due, but
 * makes the line no slower, and no error adds up.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_STEPS_MAX 16

/* From `at` on, in nanoseconds since the first packet, the line has `rate` bits a second. */
struct line_step {
  uint64_t at, rate;
};

struct line_config {
  struct line_step steps[LINE_STEPS_MAX]; /* the first one's `at` is 0 */
  size_t step_count;
  uint64_t delay;      /* nanoseconds */
  uint64_t queue_max;  /* bytes that wait; one packet fits always */
  uint32_t loss;       /* of a million packets */
  uint32_t reorder;    /* likewise: these take `reorder_by` longer */
  uint64_t reorder_by; /* nanoseconds */
};

struct line_counts {
  uint64_t carried, bytes;        /* that left or will leave at the other end */
  uint64_t lost, full, reordered; /* lost by chance; because the queue was full */
  uint64_t queue_highest;         /* bytes */
};

/* A packet that waits for the line: when its turn comes, and its size. */
struct line_waiting {
  uint64_t begin;
  uint32_t size;
};

struct line {
  struct line_config config;
  struct line_counts counts;
  uint64_t random;
  uint64_t free_at, queued; /* when the line has sent all that it was given; bytes that wait */
  struct line_waiting *waiting;
  size_t first, count, room; /* a ring */
};

/* `config` is copied; the same `seed` draws the same lots. False: out of memory. */
bool line_init(struct line *line, const struct line_config *config, uint64_t seed);
void line_free(struct line *line);

/* A packet of `size` bytes came at `now`, nanoseconds since the first one. False: it is lost. Else `*due` is when it leaves at
 * the other end. */
bool line_take(struct line *line, uint32_t size, uint64_t now, uint64_t *due);

#endif
