/* SPDX-License-Identifier: MIT */
/*
 * A clock for endpoints: a thread that posts a call to each worker that has players, once a tick. On the worker's thread
 * that call calls `on_tick` of each of its players. /tick sends datagrams then; /topic goes on with what had to wait.
 *
 *     clock's thread          each worker's thread
 *     wait until it is due
 *     wt_session_post ------> group_run: each player of the group. Packets that they send leave in one turn
 *
 * The library has no timers for applications, but its workers take calls from other threads. So this needs nothing but
 * the public API, and one call a tick and worker, however many players there are.
 *
 * All rates count from their first player on, and keep to that grid: a tick that comes late does not move the next one. A
 * tick whose time has passed altogether, and one whose worker is still busy with the one before, is left out. Its number
 * is missing then, and the players count it as lost.
 *
 * The lock protects the rates, and the ends of the lists of players against the clock's thread. A list changes only on
 * the thread of its worker, which therefore walks it without the lock.
 */
#include "serve/tick_clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/tick.h"

/* The players of a rate on one worker. */
struct tick_group {
  struct tick_rate *rate;
  struct tick_player *first;
  _Atomic uint64_t number; /* of the tick that is to be sent */
  _Atomic bool posted;     /* its call is on its way */
};

struct tick_rate {
  uint64_t hz, begun; /* when tick 0 was due */
  uint64_t number;    /* of the next tick */
  size_t players;     /* 0: it is free */
  struct tick_group *groups;
};

struct tick_clock {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  bool running, ending;
  unsigned workers;
  struct tick_rate rates[TICK_RATES_MAX];
};

/* --- On the workers' threads --- */

static void group_run(wt_session *session, void *argument) {
  struct tick_group *group = argument;
  struct tick_player *after;
  (void)session; /* it only says which thread; it may have ended */
  uint64_t number = atomic_load(&group->number);
  for (struct tick_player *player = group->first; player; player = after) {
    after = player->after;
    player->on_tick(player, number);
  }
  atomic_store(&group->posted, false);
}

/* --- On the clock's thread, with the lock --- */

static void group_tick(struct tick_group *group, uint64_t number) {
  if (!group->first || atomic_load(&group->posted)) return;
  atomic_store(&group->number, number);
  atomic_store(&group->posted, true);
  if (wt_session_post(group->first->session, group_run, group)) atomic_store(&group->posted, false);
}

static uint64_t rate_due(const struct tick_rate *rate) { return rate->begun + tick_due(rate->number, rate->hz); }

static void rate_run(struct tick_clock *clock, struct tick_rate *rate, uint64_t now) {
  uint64_t number = tick_at(now - rate->begun, rate->hz);
  for (unsigned i = 0; i < clock->workers; i++) group_tick(&rate->groups[i], number);
  rate->number = number + 1;
}

/* Runs what is due. Returns when the next tick is; UINT64_MAX: there is none. */
static uint64_t rates_run(struct tick_clock *clock) {
  uint64_t next = UINT64_MAX, now = clock_ns();
  for (size_t i = 0; i < TICK_RATES_MAX; i++) {
    struct tick_rate *rate = &clock->rates[i];
    if (rate->players == 0) continue;
    if (rate_due(rate) <= now) rate_run(clock, rate, now);
    if (rate_due(rate) < next) next = rate_due(rate);
  }
  return next;
}

static void *clock_run(void *argument) {
  struct tick_clock *clock = argument;
  pthread_mutex_lock(&clock->lock);
  while (!clock->ending) {
    uint64_t next = rates_run(clock);
    if (next == UINT64_MAX) {
      pthread_cond_wait(&clock->changed, &clock->lock);
    } else {
      struct timespec time = clock_timespec(next);
      pthread_cond_timedwait(&clock->changed, &clock->lock, &time);
    }
  }
  pthread_mutex_unlock(&clock->lock);
  return NULL;
}

/* --- Players come and go --- */

/* The rate's record, or a free one for it. NULL: there are too many. */
static struct tick_rate *rate_find(struct tick_clock *clock, uint64_t hz) {
  struct tick_rate *free_one = NULL;
  for (size_t i = 0; i < TICK_RATES_MAX; i++) {
    struct tick_rate *rate = &clock->rates[i];
    if (rate->players && rate->hz == hz) return rate;
    if (rate->players == 0 && !free_one) free_one = rate;
  }
  if (free_one) {
    free_one->hz = hz;
    free_one->begun = clock_ns();
    free_one->number = 0;
  }
  return free_one;
}

/* The thread begins with the first player: a server without any has none. */
static const char *clock_start(struct tick_clock *clock) {
  if (clock->ending) return "The server is ending.";
  if (clock->running) return NULL;
  if (pthread_create(&clock->thread, NULL, clock_run, clock)) return "The server can make no thread.";
  clock->running = true;
  return NULL;
}

const char *tick_clock_add(struct tick_clock *clock, unsigned worker, uint64_t hz, struct tick_player *player) {
  pthread_mutex_lock(&clock->lock);
  const char *why = clock_start(clock);
  struct tick_rate *rate = why ? NULL : rate_find(clock, hz);
  if (!why && !rate) why = "There are players with too many different rates.";
  if (rate) {
    struct tick_group *group = &rate->groups[worker];
    rate->players++;
    player->group = group;
    player->before = NULL;
    player->after = group->first;
    if (group->first) group->first->before = player;
    group->first = player;
    pthread_cond_signal(&clock->changed);
  }
  pthread_mutex_unlock(&clock->lock);
  return why;
}

void tick_clock_remove(struct tick_clock *clock, struct tick_player *player) {
  if (!player->group) return;
  pthread_mutex_lock(&clock->lock);
  if (player->before)
    player->before->after = player->after;
  else
    player->group->first = player->after;
  if (player->after) player->after->before = player->before;
  player->group->rate->players--;
  player->group = NULL;
  pthread_mutex_unlock(&clock->lock);
}

/* --- The clock --- */

struct tick_clock *tick_clock_new(unsigned workers) {
  struct tick_clock *clock = calloc(1, sizeof *clock);
  struct tick_group *groups = calloc((size_t)TICK_RATES_MAX * workers, sizeof *groups);
  pthread_condattr_t attributes;
  if (!clock || !groups) {
    free(clock);
    free(groups);
    return NULL;
  }
  clock->workers = workers;
  for (size_t i = 0; i < TICK_RATES_MAX; i++) {
    clock->rates[i].groups = groups + i * workers;
    for (unsigned j = 0; j < workers; j++) clock->rates[i].groups[j].rate = &clock->rates[i];
  }
  pthread_mutex_init(&clock->lock, NULL);
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&clock->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  return clock;
}

void tick_clock_stop(struct tick_clock *clock) {
  if (!clock) return;
  pthread_mutex_lock(&clock->lock);
  bool running = clock->running;
  clock->ending = true;
  clock->running = false;
  pthread_cond_signal(&clock->changed);
  pthread_mutex_unlock(&clock->lock);
  if (running) pthread_join(clock->thread, NULL);
}

void tick_clock_free(struct tick_clock *clock) {
  if (!clock) return;
  tick_clock_stop(clock);
  pthread_cond_destroy(&clock->changed);
  pthread_mutex_destroy(&clock->lock);
  free(clock->rates[0].groups);
  free(clock);
}
