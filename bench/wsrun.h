/* SPDX-License-Identifier: MIT */
#ifndef BENCH_WSRUN_H
#define BENCH_WSRUN_H

/* The measured time of a load generator for WebSocket servers: what it counts, and when it begins and ends. */

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/histogram.h"
#include "wslink.h"

struct wsrun {
  struct wsserver server;
  uint64_t rate, size, warmup_ns, duration_ns;
  uint64_t start, from, until; /* set by wsrun_begin: nanoseconds of now_ns */
  uint64_t turn;               /* how many messages the rate has begun */
  uint64_t operations;
  bool told;
  struct histogram latency;
};

/* The options of each program, and the letters that stand for them. */
/* clang-format off */
#define WSRUN_OPTIONS                      \
  {"port", required_argument, NULL, 'p'},  \
  {"tls", no_argument, NULL, 't'},         \
  {"rate", required_argument, NULL, 'r'},  \
  {"size", required_argument, NULL, 's'},  \
  {"warmup", required_argument, NULL, 'w'}, \
  {"duration", required_argument, NULL, 'd'}
/* clang-format on */

/* Takes one of them; false: it is another. */
bool wsrun_option(struct wsrun *run, int option, uint64_t number);

void wsrun_begin(struct wsrun *run);
/* Says "measuring" when the measured time begins. Returns false at the end, and a second later if not `all` came. */
bool wsrun_goes_on(struct wsrun *run, bool all);

/* Calls `begin` with the time of each message that is due by the rate. Returns when to call again, in milliseconds. */
int wsrun_pace(struct wsrun *run, void (*begin)(void *user_data, uint64_t due), void *user_data);

/* Whether what began at this time counts. */
bool wsrun_counts(const struct wsrun *run, uint64_t began);
/* Counts an operation, if it does. */
void wsrun_add(struct wsrun *run, uint64_t began, uint64_t now);

/* The members of the report's JSON that all have, without braces. */
void wsrun_print(const struct wsrun *run);

#endif
