/* SPDX-License-Identifier: MIT */
/*
 * Signals as ordinary calls. All threads block them, so none is interrupted anywhere; one thread takes
 * them with sigwait and may then do what a signal handler may not: lock, log, allocate.
 */
#include "signals.h"

#include <string.h>

void signals_block(struct signals *signals) {
  memset(signals, 0, sizeof *signals);
  sigemptyset(&signals->set);
  sigaddset(&signals->set, SIGINT);
  sigaddset(&signals->set, SIGTERM);
  sigaddset(&signals->set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
  signal(SIGPIPE, SIG_IGN);
}

static void *signals_run(void *argument) {
  struct signals *signals = argument;
  int signal;
  for (;;) {
    if (sigwait(&signals->set, &signal)) continue;
    if (signals->ending) return NULL;
    signals->handler(signal, signals->user_data);
  }
}

bool signals_start(struct signals *signals, void (*handler)(int signal, void *user_data), void *user_data) {
  signals->handler = handler;
  signals->user_data = user_data;
  signals->running = !pthread_create(&signals->thread, NULL, signals_run, signals);
  return signals->running;
}

void signals_stop(struct signals *signals) {
  if (!signals->running) return;
  signals->ending = true;
  pthread_kill(signals->thread, SIGHUP);
  pthread_join(signals->thread, NULL);
  signals->running = false;
}
