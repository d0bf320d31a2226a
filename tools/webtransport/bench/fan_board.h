/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_FAN_BOARD_H
#define WEBTRANSPORT_TOOL_FAN_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fan_publisher {
  unsigned needed;          /* workers that have subscribers of it */
  _Atomic uint64_t counted; /* messages published within the measured time */
  _Atomic uint64_t
      turn; /* the message under way, and how many workers have it at all their sessions: see fan_board.c */
};

/* What the workers of fan-out tell each other. */
struct fan_board {
  uint32_t run; /* of `struct fan_message` */
  size_t publisher_count;
  struct fan_publisher *publishers;
  _Atomic size_t publishing; /* workers whose publishers may publish more */
};

/* Sets it up for `sessions` sessions that are spread over `workers` workers, as are the publishers among them. False: out of
 * memory. */
bool fan_board_init(struct fan_board *board, size_t publishers, uint64_t sessions, size_t workers);
void fan_board_free(struct fan_board *board);

/* The publisher sends message `number`, and waits until it has come to all sessions. */
void fan_board_begin(struct fan_board *board, size_t publisher, uint64_t number);
/* A worker has message `number` at all its sessions. Returns whether now all workers have it. Any thread. */
bool fan_board_arrived(struct fan_board *board, size_t publisher, uint64_t number);
/* Whether all workers have message `number`, which was the last that began. */
bool fan_board_complete(const struct fan_board *board, size_t publisher, uint64_t number);

/* Publisher `publisher` is among the sessions of this worker. */
static inline size_t fan_board_worker(size_t publisher, size_t workers) { return publisher % workers; }
/* How many of `count` things worker `index` has. */
static inline uint64_t fan_board_share(uint64_t count, size_t index, size_t workers) {
  return count / workers + (index < count % workers);
}

#endif
