/* SPDX-License-Identifier: MIT */
/*
 * Signals as ordinary calls. All threads block them, so no thread is interrupted. One thread waits for them with
 * sigwaitinfo, and may do what a signal handler must not: lock, log, allocate.
 */
#include "common/signals.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/tool_log.h"

void signals_block(struct signals *signals, bool usr1) {
  memset(signals, 0, sizeof *signals);
  sigemptyset(&signals->set);
  sigaddset(&signals->set, SIGINT);
  sigaddset(&signals->set, SIGTERM);
  sigaddset(&signals->set, SIGHUP);
  if (usr1) sigaddset(&signals->set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
  signal(SIGPIPE, SIG_IGN);
}

void signals_deadline(struct signals *signals, int64_t ms) {
  int64_t deadline_ms = clock_ms() + ms;
  if (!signals->deadline_ms || deadline_ms < signals->deadline_ms) signals->deadline_ms = deadline_ms;
}

void signals_no_deadline(struct signals *signals) { signals->deadline_ms = 0; }

/* Returns the next signal, 0 if the deadline has passed, or -1 with errno. */
static int signal_wait(struct signals *signals) {
  if (!signals->deadline_ms) return sigwaitinfo(&signals->set, NULL);
  int64_t left = signals->deadline_ms - clock_ms();
  if (left < 0) left = 0;
  struct timespec timeout = clock_timespec((uint64_t)left * NS_PER_MS);
  int signal = sigtimedwait(&signals->set, NULL, &timeout);
  if (signal >= 0 || errno != EAGAIN) return signal;
  signals->deadline_ms = 0;
  return 0;
}

/* Without this thread only SIGKILL could end the program, so the program ends now, in order. By SIGINT, because what waits after
 * SIGTERM (ending.c) needs this thread. */
static void signals_fail(struct signals *signals, int error) {
  log_line(WT_LOG_ERROR, "cannot wait for signals: %s; the program ends", strerror(error));
  signals->handler(SIGINT, signals->user_data);
}

static void *signals_run(void *argument) {
  struct signals *signals = argument;
  for (;;) {
    int signal = signal_wait(signals);
    if (signals->ending) return NULL;
    if (signal >= 0) {
      signals->handler(signal, signals->user_data);
    } else if (errno != EINTR && errno != EAGAIN) {
      signals_fail(signals, errno);
      return NULL;
    }
  }
}

bool signals_start(struct signals *signals, void (*handler)(int signal, void *user_data), void *user_data) {
  signals->handler = handler;
  signals->user_data = user_data;
  int error = pthread_create(&signals->thread, NULL, signals_run, signals);
  if (error) errno = error;
  signals->running = error == 0;
  return signals->running;
}

void signals_stop(struct signals *signals) {
  if (!signals->running) return;
  signals->ending = true;
  pthread_kill(signals->thread, SIGHUP);
  pthread_join(signals->thread, NULL);
  signals->running = false;
}
