/* SPDX-License-Identifier: MIT */
/*
 * The library has no timers for applications, but its loop takes calls from other threads. So a thread of its own
 * keeps time and posts a tick to the loop. One is on its way at most: a loop that is busy loses ticks, which only
 * slows down what they pace. They need not be exact, and nothing is measured with them.
 */
#include "ticker.h"

#include <time.h>

enum {
  TICK_MS = 2, /* a packet of 1,200 bytes takes 1 ms on a link of 10 Mbit/s */
};

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void tick(struct ticker *ticker) {
  atomic_store(&ticker->posted, false);
  if (!atomic_load(&ticker->ending)) ticker->on_tick(now_ms() - ticker->begun_ms, ticker->user_data);
}

static void client_tick(wt_client *client, void *argument) {
  (void)client;
  tick(argument);
}

static void server_tick(wt_server *server, void *argument) {
  (void)server;
  tick(argument);
}

static void *ticker_run(void *argument) {
  struct ticker *ticker = argument;
  const struct timespec pause = {.tv_nsec = TICK_MS * 1000000L};
  while (!atomic_load(&ticker->ending)) {
    nanosleep(&pause, NULL);
    if (atomic_exchange(&ticker->posted, true)) continue;
    int error = ticker->client ? wt_client_post(ticker->client, client_tick, ticker)
                               : wt_server_post(ticker->server, server_tick, ticker);
    if (error) atomic_store(&ticker->posted, false);
  }
  return NULL;
}

bool ticker_start(struct ticker *ticker) {
  ticker->begun_ms = now_ms();
  ticker->running = pthread_create(&ticker->thread, NULL, ticker_run, ticker) == 0;
  return ticker->running;
}

void ticker_stop(struct ticker *ticker) {
  if (!ticker->running) return;
  atomic_store(&ticker->ending, true);
  pthread_join(ticker->thread, NULL);
  ticker->running = false;
}
