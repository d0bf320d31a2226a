/* SPDX-License-Identifier: MIT */

/*
 * A message on its way from the thread that publishes it to the workers that have subscribers.
 *
 *   publisher:   newest -> C -> B -> A      each points to the one that was there before it
 *   worker:      takes them all with one exchange, turns them around, delivers A, B, C
 *
 * The record of the queue is in the message (struct wt__part), so a message costs one allocation, however many workers get
 * it. What one thread publishes is in each queue in this order. Only who finds a queue empty wakes its worker: many messages
 * between two turns cost one wake.
 *
 * The bound on a queue is looked at before the message is made. Threads that do this at the same time may exceed it by a
 * message each.
 */

#include "base/mem.h"
#include "base/usdt.h"
#include "core/mux.h"
#include "net/hub.h"
#include "net/server_state.h"

#define WORKERS_MAX 256 /* `workers` in server.h */

/* --- In --- */

static void message_forget_topic(struct wt__message *message) { wt__hub_topic_unref(message->topic); }

static bool hub_has_room(struct wt__hub *hub, const bool workers[]) {
  for (unsigned i = 0; i < hub->worker_count; i++) {
    if (workers[i] && atomic_load(&hub->workers[i].backlog) > hub->limits.max_backlog) return false;
  }
  return true;
}

/* The message may be gone when this returns. */
static void queue_add(struct wt__hub *hub, struct wt__part *part, size_t size) {
  struct wt__hub_worker *worker = &hub->workers[part->worker];
  atomic_fetch_add(&worker->backlog, size);
  struct wt__part *before = atomic_load(&worker->newest);
  do {
    part->before = before;
  } while (!atomic_compare_exchange_weak(&worker->newest, &before, part));
  if (!before && hub->wake) hub->wake(hub->wake_ctx, worker->index);
}

static void message_send(struct wt__hub *hub, struct wt__message *message, const bool workers[]) {
  unsigned at = 0, count = message->part_count;
  size_t size = wt__message_size(count, message->len);
  for (unsigned i = 0; i < hub->worker_count && at < count; i++) {
    if (workers[i]) message->parts[at++].worker = i;
  }
  for (at = 0; at < count; at++) queue_add(hub, &message->parts[at], size);
}

static int topic_publish(struct wt__hub *hub, struct wt__hub_topic *topic, unsigned count, const bool workers[],
                         const void *data, size_t len, const wt_session *except) {
  if (!hub_has_room(hub, workers)) return WT_ERR_AGAIN;
  struct wt__message *message = wt__message_new(count, data, len);
  if (!message) return WT_ERR_NOMEM;
  message->topic = topic;
  message->on_free = message_forget_topic;
  message->except = except;
  message->except_number = except ? wt__session_number(except) : 0;
  wt__hub_topic_count(topic);
  atomic_fetch_add(&hub->published, 1);
  message_send(hub, message, workers);
  return 0;
}

int wt__hub_publish(struct wt__hub *hub, const void *name, size_t name_len, const void *data, size_t len,
                    const wt_session *except) {
  bool workers[WORKERS_MAX];
  struct wt__hub_topic *topic;
  if (len > hub->limits.max_message) return WT_ERR_TOO_LARGE;
  unsigned count = wt__hub_find(hub, name, name_len, &topic, workers);
  if (count == 0) return 0;
  int error = topic_publish(hub, topic, count, workers, data, len, except);
  if (error) wt__hub_topic_unref(topic);
  return error;
}

/* --- Out --- */

/* Turns the chain around: `before` is the one after it then. */
static struct wt__part *chain_turn(struct wt__part *newest) {
  struct wt__part *oldest = NULL;
  while (newest) {
    struct wt__part *before = newest->before;
    newest->before = oldest;
    oldest = newest;
    newest = before;
  }
  return oldest;
}

/* Returns how many receivers it had; at least 1, so that messages nobody wants count too. */
static uint64_t part_deliver(struct wt__hub_worker *worker, struct wt__part *part) {
  const struct wt__message *message = part->message;
  struct wt__topic *topic = wt__hub_topic_of(message->topic, worker->index);
  uint64_t receivers = topic ? atomic_load_explicit(&topic->counts.subscribers, memory_order_relaxed) : 0;
  atomic_fetch_sub(&worker->backlog, wt__message_size(message->part_count, message->len));
  wt__part_begin(part, worker->topics.sum);
  if (topic) wt__topic_deliver(topic, part);
  wt__part_unref(part);
  return receivers + 1;
}

bool wt__hub_run(struct wt__hub_worker *worker) {
  if (!worker->taken) {
    if (!atomic_load_explicit(&worker->newest, memory_order_relaxed)) return false; /* as in most turns */
    worker->taken = chain_turn(atomic_exchange(&worker->newest, NULL));
  }
  for (uint64_t delivered = 0; worker->taken && delivered < WT__HUB_RUN;) {
    struct wt__part *part = worker->taken;
    worker->taken = part->before;
    delivered += part_deliver(worker, part);
  }
  return worker->taken || atomic_load(&worker->newest);
}

/* --- What the application calls --- */

int wt_server_publish(wt_server *server, const void *topic, size_t topic_len, const void *data, size_t len,
                      const wt_session *except) {
  if (!server || !topic || topic_len < 1 || topic_len > WT__TOPIC_NAME_MAX || (len > 0 && !data)) return WT_ERR_INVALID;
  struct wt_backplane *backplane = server->hub.backplane;
  int error = wt__hub_publish(&server->hub, topic, topic_len, data, len, except);
  WT__USDT(topic_publish, topic, topic_len, len, error);
  if (error == 0 && backplane)
    (void)backplane->publish(backplane, topic, topic_len, data, len); /* it counts its errors */
  return error;
}
