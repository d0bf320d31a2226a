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
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/server_metrics.h"

enum {
  STATS_WAIT_S = 2
};

struct recorder {
  bool queries; /* paths are kept with them */
  pthread_mutex_t lock;
  pthread_cond_t stats_came;

  struct session_record *ring; /* session n is at n % RECORDER_SESSIONS */
  uint64_t last;               /* number of the session that ended last; 0: none */
  uint64_t open;

  struct certificate_record certificate;

  struct wt_server_stats stats;
  uint64_t stats_taken; /* how often */
  char *metrics;        /* NULL: none, or whoever asked has taken them */
  uint64_t metrics_taken;
  enum wt_metrics_format metrics_format; /* as whoever asked last wants them */
  bool stopped;
};

struct recorder *recorder_new(bool queries) {
  struct recorder *recorder = calloc(1, sizeof *recorder);
  if (!recorder) return NULL;
  recorder->queries = queries;
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
  free(recorder->metrics);
  free(recorder);
}

void recorder_session_opened(struct recorder *recorder) {
  pthread_mutex_lock(&recorder->lock);
  recorder->open++;
  pthread_mutex_unlock(&recorder->lock);
}

void recorder_session_ended(struct recorder *recorder, struct session_record *record) {
  if (!recorder->queries) record->path[strcspn(record->path, "?")] = 0;
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

/* --- What the server's thread has to be asked for. --- */

/* Both on the thread of the first worker. */
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

static void metrics_take(wt_server *server, void *argument) {
  struct recorder *recorder = argument;
  pthread_mutex_lock(&recorder->lock);
  enum wt_metrics_format format = recorder->metrics_format;
  pthread_mutex_unlock(&recorder->lock);
  char *text = server_metrics_text(server, format);
  pthread_mutex_lock(&recorder->lock);
  free(recorder->metrics);
  recorder->metrics = text;
  recorder->metrics_taken++;
  pthread_cond_broadcast(&recorder->stats_came);
  pthread_mutex_unlock(&recorder->lock);
}

/* Lets the server's thread call `take`, and waits until `*taken` has grown. Under the lock: once `recorder_stop` has
 * returned, nobody posts to a server being freed. */
static bool take_and_wait(struct recorder *recorder, wt_server *server, void (*take)(wt_server *server, void *argument),
                          const uint64_t *taken) {
  const struct timespec until = clock_timespec(clock_ns() + STATS_WAIT_S * NS_PER_S);
  uint64_t before = *taken;
  int waited = 0;
  if (recorder->stopped || wt_server_post(server, take, recorder)) return false;
  while (*taken == before && !recorder->stopped && !waited)
    waited = pthread_cond_timedwait(&recorder->stats_came, &recorder->lock, &until);
  return *taken != before;
}

bool recorder_stats(struct recorder *recorder, wt_server *server, struct wt_server_stats *stats) {
  pthread_mutex_lock(&recorder->lock);
  bool came = take_and_wait(recorder, server, stats_take, &recorder->stats_taken);
  if (came) *stats = recorder->stats;
  pthread_mutex_unlock(&recorder->lock);
  return came;
}

char *recorder_metrics(struct recorder *recorder, wt_server *server, enum wt_metrics_format format) {
  char *text = NULL;
  pthread_mutex_lock(&recorder->lock);
  recorder->metrics_format = format;
  if (take_and_wait(recorder, server, metrics_take, &recorder->metrics_taken)) {
    text = recorder->metrics;
    recorder->metrics = NULL;
  }
  pthread_mutex_unlock(&recorder->lock);
  return text;
}

void recorder_stop(struct recorder *recorder) {
  pthread_mutex_lock(&recorder->lock);
  recorder->stopped = true;
  pthread_cond_broadcast(&recorder->stats_came);
  pthread_mutex_unlock(&recorder->lock);
}
