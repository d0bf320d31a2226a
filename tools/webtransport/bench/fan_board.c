/* SPDX-License-Identifier: MIT */
/*
 * What the workers of fan-out tell each other. Without --rate, a publisher waits until its message has come to all sessions,
 * which may be on several workers. Each worker counts for itself, and reports here once for each message.
 *
 * `turn` is one number, so that a report about an old message, which the publisher no longer waits for, changes nothing:
 *
 *     | number of the message: 56 bits | workers that have reported: 8 bits |
 */
#include "bench/fan_board.h"

#include <stdlib.h>
#include <sys/random.h>

#define REPORTS_BITS 8
#define REPORTS_MASK ((UINT64_C(1) << REPORTS_BITS) - 1)

/* A worker whose only session publishes has no subscriber of it. */
static unsigned workers_needed(size_t publisher, uint64_t sessions, size_t workers) {
  size_t own = fan_board_worker(publisher, workers);
  return (unsigned)(workers - (fan_board_share(sessions, own, workers) == 1));
}

bool fan_board_init(struct fan_board *board, size_t publishers, uint64_t sessions, size_t workers) {
  *board = (struct fan_board){.publisher_count = publishers};
  if (getrandom(&board->run, sizeof board->run, 0) != (ssize_t)sizeof board->run) board->run = 0;
  board->publishers = calloc(publishers, sizeof *board->publishers);
  if (!board->publishers) return false;
  atomic_init(&board->publishing, workers);
  for (size_t i = 0; i < publishers; i++) board->publishers[i].needed = workers_needed(i, sessions, workers);
  return true;
}

void fan_board_free(struct fan_board *board) {
  free(board->publishers);
  board->publishers = NULL;
}

void fan_board_begin(struct fan_board *board, size_t publisher, uint64_t number) {
  atomic_store(&board->publishers[publisher].turn, number << REPORTS_BITS);
}

bool fan_board_arrived(struct fan_board *board, size_t publisher, uint64_t number) {
  struct fan_publisher *at = &board->publishers[publisher];
  uint64_t turn = atomic_load(&at->turn);
  do {
    if (turn >> REPORTS_BITS != number) return false;
  } while (!atomic_compare_exchange_weak(&at->turn, &turn, turn + 1));
  return ((turn + 1) & REPORTS_MASK) == at->needed;
}

bool fan_board_complete(const struct fan_board *board, size_t publisher, uint64_t number) {
  const struct fan_publisher *at = &board->publishers[publisher];
  return atomic_load(&at->turn) == (number << REPORTS_BITS | at->needed);
}
