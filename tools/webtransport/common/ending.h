/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_ENDING_H
#define WEBTRANSPORT_TOOL_ENDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <webtransport/server.h>

struct service;
struct signals;

enum {
  ENDING_SHUTDOWN_MS = 4500, /* for sessions */
  ENDING_WITHIN_S = 5,       /* as a rule: connections and threads need little more */
  /* Then the process ends in any case. That is later, because on a machine with much to do nothing is quick; container engines
   * and our units kill it after 10 s. */
  ENDING_MS = 9000
};

/* How a command with a server ends: see ending.c. Zeroed, but for the first four. */
struct ending {
  struct signals *signals;
  struct service *service;
  atomic_bool *draining;   /* what /healthz tells */
  uint64_t drain_delay_ms; /* how long the server goes on to take new clients after SIGTERM */

  atomic_bool begun; /* any thread may look */
  bool waits;        /* for `drain_delay_ms` */
  unsigned int signals_seen;
};

/* SIGINT, SIGTERM, or 0 for a deadline that has passed. On the thread for signals. */
void ending_on_signal(struct ending *ending, wt_server *server, int signal);

#endif
