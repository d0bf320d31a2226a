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
  int64_t deadline_ms; /* of the monotonic clock; 0: none */
};

/* Blocks SIGINT, SIGTERM and SIGHUP in this thread and those it makes later; ignores SIGPIPE. */
void signals_block(struct signals *signals);

/* Calls `handler` for each of them from now on, also for those that came since, on a thread of its own. */
bool signals_start(struct signals *signals, void (*handler)(int signal, void *user_data), void *user_data);

/* From the handler alone: it is called once more, with 0, if the thread is still there after this time. A later time
 * than one that was set does not count. */
void signals_deadline(struct signals *signals, int64_t ms);

/* Ends the thread; the handler is not running when this returns. */
void signals_stop(struct signals *signals);

#endif
