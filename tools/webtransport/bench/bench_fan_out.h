/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_BENCH_FAN_OUT_H
#define WEBTRANSPORT_TOOL_BENCH_FAN_OUT_H

/* What bench_fan_out.c, which publishes, and bench_fan_receive.c share. */

#include "bench/arrivals.h"
#include "bench/bench.h"
#include "bench/fan_board.h"
#include "bench/fan_message.h"

/* What a worker knows of a publisher. */
struct fan_progress {
  uint64_t number, sessions; /* the newest message that came, and to how many of our sessions */
  uint64_t share;            /* of our sessions get its messages: not itself */
};

/* `fan` of a worker. */
struct fan_worker {
  struct fan_progress *publishers; /* all of the run */
  uint64_t counted;                /* deliveries of messages that count */
  bool published;                  /* our publishers publish no more, which the board knows */
};

/* `state` of a session. */
struct fan_session {
  struct bench_slot slot;    /* first; of a publisher it is among the worker's */
  struct arrivals *arrivals; /* of each publisher */
  bool publishes;
  uint32_t publisher; /* its number */
  uint64_t next;      /* message that it publishes next */
};

/* Where the bytes behind a message's head begin in the pattern. */
static inline uint64_t fan_pattern_at(const struct fan_message *message) {
  return message->publisher * (uint64_t)BENCH_PHASE_STEP + message->number;
}

/* Session callbacks. */
void fan_on_datagram(wt_session *handle, const uint8_t *data, size_t len, void *user_data);
void fan_on_stream(wt_session *handle, wt_stream *stream, void *user_data);

/* A message has come to all sessions of the worker that calls this, as the last one: the publisher goes on. */
void fan_message_complete(struct bench_worker *worker, uint32_t publisher);

#endif
