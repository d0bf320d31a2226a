/* SPDX-License-Identifier: MIT */

/*
 * Names of topics, and which workers have subscribers. A topic is in the table while a worker has a part of it, which it has
 * while one of its sessions is subscribed.
 *
 *   table -- topic "news" --+-- part of worker 0: its subscriptions, its counts
 *                           +-- (none of worker 1)
 *
 * The lock is held for a search, and for changes of the table: once for a message, and when the first session of a worker
 * subscribes or the last one leaves. Which part a worker has is changed by its own thread, under the lock. So this thread
 * reads it without the lock, and the others with it.
 *
 * Messages on their way refer to their topic, which may leave the table meanwhile: then it has no subscribers any more.
 */

#include "net/hub.h"

#include <string.h>

#include "base/mem.h"
#include "base/sized.h"
#include "net/server_state.h"
#include "quic/tls.h"

#define CAP_MIN 16
#define LINES 5 /* in the log at once; then one a second */
#define MAX_MESSAGE ((size_t)16 * 1024 * 1024)

/* A worker's part. */
struct part {
  struct wt__topic topic;
  struct wt__hub_topic *whole;
};

struct wt__hub_topic {
  struct wt__hub_topic *next; /* in its bucket */
  uint64_t hash;
  atomic_size_t refs; /* the table's, and those of messages */
  _Atomic uint64_t published;
  size_t name_len;
  uint8_t name[WT__TOPIC_NAME_MAX];
  bool carried; /* the backplane has it */
  unsigned part_count;
  struct part *parts[]; /* of each worker; NULL: it has no subscribers */
};

/* --- The table; all of it under the lock --- */

static struct wt__hub_topic **table_find(const struct wt__hub *hub, uint64_t hash, const void *name, size_t len) {
  struct wt__hub_topic **at = &hub->buckets[hash & (hub->cap - 1)];
  while (*at && !((*at)->hash == hash && (*at)->name_len == len && memcmp((*at)->name, name, len) == 0)) {
    at = &(*at)->next;
  }
  return at;
}

static struct wt__hub_topic *topic_find(const struct wt__hub *hub, uint64_t hash, const void *name, size_t len) {
  return hub->cap ? *table_find(hub, hash, name, len) : NULL;
}

/* A table that cannot change its size goes on with the one it has, if it has one. */
static int table_resize(struct wt__hub *hub, size_t cap) {
  struct wt__hub_topic **buckets = wt__calloc(cap, sizeof(void *));
  if (!buckets) return hub->cap ? 0 : WT_ERR_NOMEM;
  for (size_t i = 0; i < hub->cap; i++) {
    for (struct wt__hub_topic *topic = hub->buckets[i], *next; topic; topic = next) {
      next = topic->next;
      topic->next = buckets[topic->hash & (cap - 1)];
      buckets[topic->hash & (cap - 1)] = topic;
    }
  }
  wt__free(hub->buckets);
  hub->buckets = buckets;
  hub->cap = cap;
  return 0;
}

/* Messages of other servers are to come from now on. Without them, local ones go on. */
static void topic_carry(struct wt__hub *hub, struct wt__hub_topic *topic) {
  struct wt_backplane *backplane = hub->backplane;
  if (!backplane) return;
  int error = backplane->subscribe(backplane, (const char *)topic->name, topic->name_len);
  topic->carried = error == 0;
  if (error == 0) return;
  WT__WARN_LIMITED(
      hub->log, &hub->lines, uv_hrtime(), WT__EVENT_OF("topic_not_carried", WT__TEXT("error", wt_error_name(error))),
      "the backplane does not take a topic of %zu bytes: %s; its subscribers get no messages of other servers",
      topic->name_len, wt_error_string(error));
}

static void topic_uncarry(struct wt__hub *hub, const struct wt__hub_topic *topic) {
  struct wt_backplane *backplane = hub->backplane;
  if (topic->carried) backplane->unsubscribe(backplane, (const char *)topic->name, topic->name_len);
}

static int topic_new(struct wt__hub *hub, uint64_t hash, const uint8_t *name, size_t len, struct wt__hub_topic **out) {
  if (hub->len >= hub->limits.max_topics) return WT_ERR_AGAIN;
  if (hub->len == hub->cap && table_resize(hub, hub->cap ? hub->cap * 2 : CAP_MIN)) return WT_ERR_NOMEM;
  struct wt__hub_topic *topic = wt__calloc(1, sizeof(*topic) + hub->worker_count * sizeof(void *));
  if (!topic) return WT_ERR_NOMEM;
  topic->hash = hash;
  atomic_init(&topic->refs, 1);
  topic->name_len = len;
  memcpy(topic->name, name, len);
  topic->next = hub->buckets[hash & (hub->cap - 1)];
  hub->buckets[hash & (hub->cap - 1)] = topic;
  hub->len++;
  topic_carry(hub, topic);
  *out = topic;
  return 0;
}

/* No worker has a part of it. */
static void topic_remove(struct wt__hub *hub, struct wt__hub_topic *topic) {
  topic_uncarry(hub, topic);
  *table_find(hub, topic->hash, topic->name, topic->name_len) = topic->next;
  hub->len--;
  if (hub->cap > CAP_MIN && hub->len < hub->cap / 8) (void)table_resize(hub, hub->cap / 2);
  wt__hub_topic_unref(topic);
}

static int topic_join(struct wt__hub *hub, const struct wt__hub_worker *worker, const uint8_t *name, size_t len,
                      struct wt__topic **out) {
  uint64_t hash = wt__siphash(hub->key, name, len);
  struct wt__hub_topic *topic = topic_find(hub, hash, name, len);
  int error = topic ? 0 : topic_new(hub, hash, name, len, &topic);
  if (error) return error;
  struct part *part = topic->parts[worker->index];
  if (!part) {
    part = wt__malloc(sizeof(*part));
    if (!part && topic->part_count == 0) topic_remove(hub, topic);
    if (!part) return WT_ERR_NOMEM;
    wt__topic_init(&part->topic, &hub->workers[worker->index].topics, topic->name, len);
    part->whole = topic;
    topic->parts[worker->index] = part;
    topic->part_count++;
  }
  *out = &part->topic;
  return 0;
}

/* --- What core asks for, on a worker's thread --- */

static int hub_join(void *ctx, const uint8_t *name, size_t len, struct wt__topic **out) {
  const struct wt__hub_worker *worker = ctx;
  pthread_mutex_lock(&worker->hub->lock);
  int error = topic_join(worker->hub, worker, name, len, out);
  pthread_mutex_unlock(&worker->hub->lock);
  return error;
}

static void hub_leave(void *ctx, struct wt__topic *of_worker) {
  const struct wt__hub_worker *worker = ctx;
  struct part *part = WT__CONTAINER_OF(of_worker, struct part, topic);
  struct wt__hub_topic *topic = part->whole;
  pthread_mutex_lock(&worker->hub->lock);
  topic->parts[worker->index] = NULL;
  if (--topic->part_count == 0) topic_remove(worker->hub, topic);
  pthread_mutex_unlock(&worker->hub->lock);
  wt__free(part);
}

/* --- For publish.c --- */

unsigned wt__hub_find(struct wt__hub *hub, const void *name, size_t len, struct wt__hub_topic **out, bool workers[]) {
  uint64_t hash = wt__siphash(hub->key, name, len);
  pthread_mutex_lock(&hub->lock);
  struct wt__hub_topic *topic = topic_find(hub, hash, name, len);
  unsigned count = topic ? topic->part_count : 0;
  for (unsigned i = 0; topic && i < hub->worker_count; i++) workers[i] = topic->parts[i] != NULL;
  if (topic) atomic_fetch_add(&topic->refs, 1);
  pthread_mutex_unlock(&hub->lock);
  *out = topic;
  return count;
}

void wt__hub_topic_count(struct wt__hub_topic *topic) { atomic_fetch_add(&topic->published, 1); }

void wt__hub_topic_unref(struct wt__hub_topic *topic) {
  if (atomic_fetch_sub(&topic->refs, 1) == 1) wt__free(topic);
}

struct wt__topic *wt__hub_topic_of(const struct wt__hub_topic *topic, unsigned worker) {
  struct part *part = topic->parts[worker];
  return part ? &part->topic : NULL;
}

/* --- Begin and end --- */

void wt_topic_limits_init(struct wt_topic_limits *limits, size_t size) {
  const struct wt_topic_limits all = {
      .size = sizeof(all),
      .max_topics = 65536,
      .max_subscriptions_per_session = 64,
      .max_message = (size_t)1024 * 1024,
      .max_backlog = (size_t)16 * 1024 * 1024,
  };
  wt__sized_init(limits, size, &all, sizeof(all));
}

int wt__hub_init(struct wt__hub *hub, unsigned workers) {
  struct wt_topic_limits limits;
  memset(hub, 0, sizeof(*hub));
  int error = wt__tls_random(hub->key, sizeof(hub->key));
  if (error) return error;
  hub->workers = wt__calloc(workers, sizeof(*hub->workers));
  if (!hub->workers) return WT_ERR_NOMEM;
  pthread_mutex_init(&hub->lock, NULL);
  hub->worker_count = workers;
  wt__log_limit_init(&hub->lines, 1, LINES);
  for (unsigned i = 0; i < workers; i++) {
    struct wt__hub_worker *worker = &hub->workers[i];
    worker->hub = hub;
    worker->index = i;
    worker->topics.join = hub_join;
    worker->topics.leave = hub_leave;
    worker->topics.ctx = worker;
    atomic_init(&worker->newest, NULL);
  }
  wt_topic_limits_default(&limits);
  wt__hub_set_limits(hub, &limits);
  return 0;
}

void wt__hub_set_limits(struct wt__hub *hub, const struct wt_topic_limits *limits) {
  hub->limits = *limits;
  for (unsigned i = 0; i < hub->worker_count; i++) {
    hub->workers[i].topics.max_subscriptions = limits->max_subscriptions_per_session;
  }
}

int wt_server_set_topic_limits(wt_server *server, const struct wt_topic_limits *limits) {
  struct wt_topic_limits given;
  if (!server) return WT_ERR_INVALID;
  int error = wt__sized_read(&given, sizeof(given), limits, sizeof(given));
  if (error) return wt__server_fail(server, error, "the limits on topics: call wt_topic_limits_default first");
  if (server->workers[0].state != SERVER_NEW) {
    return wt__server_fail(server, WT_ERR_STATE, "the limits on topics are set before the start");
  }
  if (given.max_message < 1 || given.max_message > MAX_MESSAGE) {
    return wt__server_fail(server, WT_ERR_INVALID, "max_message is %zu, must be 1 to %zu", given.max_message,
                           MAX_MESSAGE);
  }
  if (given.max_backlog < 1) return wt__server_fail(server, WT_ERR_INVALID, "max_backlog is 0, must be at least 1");
  wt__hub_set_limits(&server->hub, &given);
  return 0;
}

static void parts_drop(struct wt__part *part) {
  while (part) {
    struct wt__part *next = part->before;
    wt__part_unref(part);
    part = next;
  }
}

void wt__hub_free(struct wt__hub *hub) {
  if (!hub->workers) return;
  for (unsigned i = 0; i < hub->worker_count; i++) {
    parts_drop(hub->workers[i].taken);
    parts_drop(atomic_exchange(&hub->workers[i].newest, NULL));
  }
  pthread_mutex_destroy(&hub->lock);
  wt__free(hub->buckets);
  wt__free(hub->workers);
  hub->workers = NULL;
}

/* --- Questions --- */

static void stats_add(struct wt_topic_stats *stats, const struct wt__topic_counts *counts) {
#define ADD(name) stats->name += atomic_load_explicit(&counts->name, memory_order_relaxed)
  ADD(subscribers);
  ADD(delivered);
  ADD(dropped);
  ADD(too_large);
  ADD(closed);
#undef ADD
}

static int topic_stats(struct wt__hub *hub, const void *name, size_t len, struct wt_topic_stats *stats) {
  uint64_t hash = wt__siphash(hub->key, name, len);
  pthread_mutex_lock(&hub->lock);
  const struct wt__hub_topic *topic = topic_find(hub, hash, name, len);
  for (unsigned i = 0; topic && i < hub->worker_count; i++) {
    if (topic->parts[i]) stats_add(stats, &topic->parts[i]->topic.counts);
  }
  if (topic) stats->published = atomic_load(&topic->published);
  pthread_mutex_unlock(&hub->lock);
  stats->topics = topic != NULL;
  return topic ? 0 : WT_ERR_NOT_FOUND;
}

static void server_stats(struct wt__hub *hub, struct wt_topic_stats *stats) {
  for (unsigned i = 0; i < hub->worker_count; i++) stats_add(stats, &hub->workers[i].topics.counts);
  stats->published = atomic_load(&hub->published);
  stats->refused = atomic_load(&hub->refused);
  pthread_mutex_lock(&hub->lock);
  stats->topics = hub->len;
  pthread_mutex_unlock(&hub->lock);
}

int wt_server_get_topic_stats(const wt_server *server, const void *name, size_t len, struct wt_topic_stats *stats) {
  struct wt_topic_stats all = {0};
  if (!server || (!name && len > 0) || (name && (len < 1 || len > WT__TOPIC_NAME_MAX))) return WT_ERR_INVALID;
  if (wt__sized_check(stats, sizeof(*stats))) return WT_ERR_INVALID;
  struct wt__hub *hub = (struct wt__hub *)(uintptr_t)&server->hub; /* of which only the lock changes */
  int error = 0;
  if (name) {
    error = topic_stats(hub, name, len, &all);
  } else {
    server_stats(hub, &all);
  }
  return error ? error : wt__sized_give(stats, &all, sizeof(all), sizeof(all));
}

size_t wt_server_subscribers(const wt_server *server, const void *name, size_t len) {
  struct wt_topic_stats stats = {.size = sizeof(stats)};
  if (!name || wt_server_get_topic_stats(server, name, len, &stats)) return 0;
  return (size_t)stats.subscribers;
}
