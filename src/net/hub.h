/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_HUB_H
#define WT_NET_HUB_H

/*
 * The topics of a server, on all workers together.
 *
 *   hub.c       names, and which workers have subscribers: a table behind a lock
 *   publish.c   a message on its way to these workers, each of which has a queue without locks
 *
 * core/topic.h is the half of one worker.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/backplane.h>
#include <webtransport/topic.h>

#include "base/log_limit.h"
#include "base/siphash.h"
#include "core/topic.h"

#define WT__HUB_RUN 4096 /* messages times receivers in one run of a worker; then packets have their turn */

struct wt__hub;
struct wt__hub_topic;

struct wt__hub_worker {
  struct wt__hub *hub;
  unsigned index;
  struct wt__topics topics;
  _Atomic(struct wt__part *) newest; /* the queue: each points to the one that was there before it */
  struct wt__part *taken; /* by the run that delivered as much as it may: the oldest of those that are left */
  atomic_size_t backlog;  /* bytes of messages in the queue */
};

struct wt__hub {
  struct wt_topic_limits limits;
  uint8_t key[WT__SIPHASH_KEY_LEN];
  pthread_mutex_t lock; /* of the table */
  struct wt__hub_topic **buckets;
  size_t cap, len; /* `cap`: 0 or a power of two */
  struct wt__hub_worker *workers;
  unsigned worker_count;
  _Atomic uint64_t published, refused; /* `refused`: messages of the backplane that could not be taken */
  struct wt_backplane *backplane;      /* NULL: none */
  const struct wt__log *log;
  struct wt__log_limit lines; /* in it, about topics that the backplane does not carry; under the lock */
  /* Makes a worker run `wt__hub_run` soon. Any thread. */
  void (*wake)(void *ctx, unsigned worker);
  void *wake_ctx;
};

/* WT_ERR_NOMEM, WT_ERR_TLS: no random bytes. Nothing is to be freed then. */
int wt__hub_init(struct wt__hub *hub, unsigned workers);
/* No session is left, and no other thread. Messages that wait are dropped. */
void wt__hub_free(struct wt__hub *hub);

/* Before there are sessions. */
void wt__hub_set_limits(struct wt__hub *hub, const struct wt_topic_limits *limits);

/* The errors of `wt_server_publish` that do not come from its arguments. Any thread. */
int wt__hub_publish(struct wt__hub *hub, const void *name, size_t name_len, const void *data, size_t len,
                    const wt_session *except);

/* Delivers what waits for the worker, oldest first, up to WT__HUB_RUN or one message. Whether something is left: call it
 * again after a turn of the loop. On the worker's thread. */
bool wt__hub_run(struct wt__hub_worker *worker);

/* --- The table, for publish.c --- */

/* Finds a topic, takes a reference to it, and notes in `workers` which workers have subscribers; returns how many. 0: there is
 * no such topic, and no reference. */
unsigned wt__hub_find(struct wt__hub *hub, const void *name, size_t len, struct wt__hub_topic **out, bool workers[]);
/* A message for it is published. */
void wt__hub_topic_count(struct wt__hub_topic *topic);
void wt__hub_topic_unref(struct wt__hub_topic *topic);
/* That of this worker; NULL: it has no subscribers any more. On its thread. */
struct wt__topic *wt__hub_topic_of(const struct wt__hub_topic *topic, unsigned worker);

#endif
