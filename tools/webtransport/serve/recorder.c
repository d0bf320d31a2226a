/* SPDX-License-Identifier: MIT */
/*
 * What the server's threads and the companion's thread share, under one lock: the sessions that ended last, the
 * certificate in use, and the server's counts.
 *
 * The library's objects belong to their worker's thread, so nothing here points at one of them. When a session ends, it
 * is copied into a ring of fixed size, so memory does not grow with traffic. Counts change with every packet, so they
 * are read on demand: the thread that needs them posts `stats_take` to the loop and waits. The posted call only uses
 * the recorder, which outlives the server, so it may run after that thread has given up.
 */
#include "serve/recorder.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"

enum {
  STATS_WAIT_S = 2
};

struct recorder {
  pthread_mutex_t lock;
  pthread_cond_t stats_came;

  struct session_record *ring; /* session n is at n % RECORDER_SESSIONS */
  uint64_t last;               /* number of the session that ended last; 0: none */
  uint64_t open;

  struct certificate_record certificate;

  struct wt_server_stats stats;
  uint64_t stats_taken; /* how often */
  bool stopped;
};

struct recorder *recorder_new(void) {
  struct recorder *recorder = calloc(1, sizeof *recorder);
  if (!recorder) return NULL;
  recorder->ring = calloc(RECORDER_SESSIONS, sizeof *recorder->ring);
  if (!recorder->ring) {
    free(recorder);
    return NULL;
  }
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&recorder->stats_came, &attr);
  pthread_condattr_destroy(&attr);
  pthread_mutex_init(&recorder->lock, NULL);
  return recorder;
}

void recorder_free(struct recorder *recorder) {
  if (!recorder) return;
  pthread_cond_destroy(&recorder->stats_came);
  pthread_mutex_destroy(&recorder->lock);
  free(recorder->ring);
  free(recorder);
}

void recorder_session_opened(struct recorder *recorder) {
  pthread_mutex_lock(&recorder->lock);
  recorder->open++;
  pthread_mutex_unlock(&recorder->lock);
}

void recorder_session_ended(struct recorder *recorder, struct session_record *record) {
  pthread_mutex_lock(&recorder->lock);
  recorder->open--;
  record->n = ++recorder->last;
  recorder->ring[record->n % RECORDER_SESSIONS] = *record;
  pthread_mutex_unlock(&recorder->lock);
}

void recorder_set_certificate(struct recorder *recorder, const struct certificate_record *certificate) {
  pthread_mutex_lock(&recorder->lock);
  recorder->certificate = *certificate;
  pthread_mutex_unlock(&recorder->lock);
}

void recorder_get_certificate(struct recorder *recorder, struct certificate_record *certificate) {
  pthread_mutex_lock(&recorder->lock);
  *certificate = recorder->certificate;
  pthread_mutex_unlock(&recorder->lock);
}

uint64_t recorder_sessions(struct recorder *recorder, uint64_t after, uint64_t *open,
                           void (*on_record)(const struct session_record *record, void *user_data), void *user_data) {
  pthread_mutex_lock(&recorder->lock);
  uint64_t last = recorder->last;
  uint64_t dropped = last > RECORDER_SESSIONS ? last - RECORDER_SESSIONS : 0;
  *open = recorder->open;
  if (after < dropped) after = dropped;
  for (uint64_t n = after; n < last; n++) on_record(&recorder->ring[(n + 1) % RECORDER_SESSIONS], user_data);
  pthread_mutex_unlock(&recorder->lock);
  return last;
}

/* On the thread of the first worker. */
static void stats_take(wt_server *server, void *argument) {
  struct recorder *recorder = argument;
  struct wt_server_stats stats = {.size = sizeof stats};
  if (wt_server_get_stats(server, &stats)) return;
  pthread_mutex_lock(&recorder->lock);
  recorder->stats = stats;
  recorder->stats_taken++;
  pthread_cond_broadcast(&recorder->stats_came);
  pthread_mutex_unlock(&recorder->lock);
}

bool recorder_stats(struct recorder *recorder, wt_server *server, struct wt_server_stats *stats) {
  const struct timespec until = clock_timespec(clock_ns() + STATS_WAIT_S * NS_PER_S);
  bool came = false;
  pthread_mutex_lock(&recorder->lock);
  uint64_t before = recorder->stats_taken;
  /* Posted under the lock: once `recorder_stop` has returned, nobody posts to a server being freed. */
  if (!recorder->stopped && !wt_server_post(server, stats_take, recorder)) {
    int waited = 0;
    while (recorder->stats_taken == before && !recorder->stopped && !waited)
      waited = pthread_cond_timedwait(&recorder->stats_came, &recorder->lock, &until);
    came = recorder->stats_taken != before;
    if (came) *stats = recorder->stats;
  }
  pthread_mutex_unlock(&recorder->lock);
  return came;
}

void recorder_stop(struct recorder *recorder) {
  pthread_mutex_lock(&recorder->lock);
  recorder->stopped = true;
  pthread_cond_broadcast(&recorder->stats_came);
  pthread_mutex_unlock(&recorder->lock);
}
