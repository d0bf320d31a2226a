/* SPDX-License-Identifier: MIT */
#ifndef INTEROP_TICKER_H
#define INTEROP_TICKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <webtransport/webtransport.h>

/* Calls `on_tick` on the loop's thread every few milliseconds; one of the two handles is set. */
struct ticker {
  wt_client *client;
  wt_server *server;
  void (*on_tick)(uint64_t ms, void *user_data); /* `ms` since it began */
  void *user_data;

  pthread_t thread;
  bool running;
  atomic_bool ending;
  atomic_bool posted; /* a tick is on its way */
  uint64_t begun_ms;
};

bool ticker_start(struct ticker *ticker);
/* Before the client or server is freed. No tick comes from outside of that. */
void ticker_stop(struct ticker *ticker);

#endif
