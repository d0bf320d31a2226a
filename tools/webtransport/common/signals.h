/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SIGNALS_H
#define WEBTRANSPORT_TOOL_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A thread that waits for signals. */
struct signals {
  pthread_t thread;
  bool running;
  sigset_t set;
  void (*handler)(int signal, void *user_data);
  void *user_data;
  atomic_bool ending;
  int64_t deadline_ms; /* by clock_ms; 0: none */
};

/* Blocks SIGINT, SIGTERM, SIGHUP and, with `usr1`, SIGUSR1 in this thread and in threads that it makes later. Ignores
 * SIGPIPE. */
void signals_block(struct signals *signals, bool usr1);

/* Starts a thread that calls `handler` for each of these signals, also for those that came since they were blocked. False, with
 * errno: there is no thread. */
bool signals_start(struct signals *signals, void (*handler)(int signal, void *user_data), void *user_data);

/* Only for the handler: it is called once more, with 0, if the thread has not ended after `ms` milliseconds. If a
 * deadline is set, the earlier one holds. */
void signals_deadline(struct signals *signals, int64_t ms);

/* Only for the handler: takes the deadline back. */
void signals_no_deadline(struct signals *signals);

/* Ends the thread. The handler is not running when this returns. */
void signals_stop(struct signals *signals);

#endif
