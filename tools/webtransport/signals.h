/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SIGNALS_H
#define WEBTRANSPORT_TOOL_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

/* A thread that waits for signals. */
struct signals {
  pthread_t thread;
  bool running;
  sigset_t set;
  void (*handler)(int signal, void *user_data);
  void *user_data;
  atomic_bool ending;
};

/* Blocks SIGINT, SIGTERM and SIGHUP in this thread and those it makes later; ignores SIGPIPE. */
void signals_block(struct signals *signals);

/* Calls `handler` for each of them from now on, also for those that came since, on a thread of its own. */
bool signals_start(struct signals *signals, void (*handler)(int signal, void *user_data), void *user_data);

/* Ends the thread; the handler is not running when this returns. */
void signals_stop(struct signals *signals);

#endif
