/* SPDX-License-Identifier: MIT */
/*
 * When the workers begin and end. Each worker reports when its sessions are settled; when all have, the command sets
 * the measured time. Each worker reports again when its run is over. This is all that the threads share.
 */
#include "bench/bench.h"

void schedule_init(struct bench_schedule *schedule) {
  pthread_condattr_t attributes;
  pthread_mutex_init(&schedule->lock, NULL);
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&schedule->changed, &attributes);
  pthread_condattr_destroy(&attributes);
}

void schedule_free(struct bench_schedule *schedule) {
  pthread_cond_destroy(&schedule->changed);
  pthread_mutex_destroy(&schedule->lock);
}

static void schedule_count(struct bench_schedule *schedule, size_t *number) {
  pthread_mutex_lock(&schedule->lock);
  ++*number;
  pthread_cond_signal(&schedule->changed);
  pthread_mutex_unlock(&schedule->lock);
}

void schedule_ready(struct bench_schedule *schedule) { schedule_count(schedule, &schedule->ready); }

void schedule_finished(struct bench_schedule *schedule) { schedule_count(schedule, &schedule->finished); }

bool schedule_window(struct bench_schedule *schedule, uint64_t *from, uint64_t *until, bool *stop) {
  pthread_mutex_lock(&schedule->lock);
  bool known = schedule->known;
  *from = schedule->from;
  *until = schedule->until;
  *stop = schedule->stop;
  pthread_mutex_unlock(&schedule->lock);
  return known;
}
