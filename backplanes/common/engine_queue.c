/* SPDX-License-Identifier: MIT */

/*
 * Messages of this server on their way to the broker: see engine.h.
 *
 *     publish, any thread       the loop's thread
 *     ------------------>  incoming  --->  | not sent | sent, not confirmed |  --->  freed
 *                                            `queue`: new at the left, old at the right
 *
 * `queued_bytes` counts all of them. The number of a message is taken also if it is dropped, so that receivers notice.
 */

#include "engine_internal.h"

#include <string.h>

#include "base/mem.h"

/* What a message costs in memory. */
static size_t message_cost(const struct wt__message *message) {
  return sizeof(*message) + message->topic_len + message->len;
}

static struct wt__message *message_new(const char *topic, size_t topic_len, const struct wt__envelope *envelope) {
  struct wt__message *message = wt__malloc(sizeof(*message) + topic_len + WT__ENVELOPE_HEAD + envelope->len);
  if (!message) return NULL;
  wt__link_init(&message->link);
  message->topic_len = topic_len;
  message->len = WT__ENVELOPE_HEAD + envelope->len;
  memcpy(message->bytes, topic, topic_len);
  wt__envelope_write((uint8_t *)message->bytes + topic_len, envelope);
  if (envelope->len > 0) memcpy(message->bytes + topic_len + WT__ENVELOPE_HEAD, envelope->data, envelope->len);
  return message;
}

/* Queues a message, with the lock held. */
static int message_add(struct wt__engine *engine, const char *topic, size_t topic_len, const uint8_t *data,
                       size_t len) {
  struct wt__envelope envelope = {.data = data, .len = len};
  memcpy(envelope.publisher, engine->publisher, sizeof(envelope.publisher));
  if (!wt__numbers_next(&engine->numbers, topic, topic_len, &envelope.epoch, &envelope.number)) return WT_ERR_NOMEM;
  if (len > engine->config.max_message_bytes) return WT_ERR_TOO_LARGE;
  size_t cost = sizeof(struct wt__message) + topic_len + WT__ENVELOPE_HEAD + len;
  if (cost > engine->config.max_queue_bytes - engine->stats.queued_bytes) return WT_ERR_AGAIN;
  struct wt__message *message = message_new(topic, topic_len, &envelope);
  if (!message) return WT_ERR_NOMEM;
  wt__list_push_back(&engine->incoming, &message->link);
  engine->stats.queued_bytes += cost;
  engine->stats.published++;
  return 0;
}

int wt__engine_publish(struct wt_backplane *self, const char *topic, size_t topic_len, const uint8_t *data,
                       size_t len) {
  struct wt__engine *engine = (struct wt__engine *)self;
  int error = WT_ERR_STATE;
  uv_mutex_lock(&engine->lock);
  if (engine->running) {
    error = topic_len > 0 && topic_len <= WT__TOPIC_MAX ? message_add(engine, topic, topic_len, data, len)
                                                        : WT_ERR_TOO_LARGE;
    if (error) {
      engine->stats.dropped++;
      engine->dropped_untold++;
    }
    wt__engine_wake(engine);
  }
  uv_mutex_unlock(&engine->lock);
  return error;
}

/* Puts what other threads have published at the end of the queue. */
static void incoming_take(struct wt__engine *engine) {
  uv_mutex_lock(&engine->lock);
  struct wt__link *first = wt__list_first(&engine->incoming);
  if (first) {
    struct wt__link *last = engine->incoming.head.prev, *head = &engine->queue.head;
    wt__list_init(&engine->incoming);
    if (engine->unsent == head) engine->unsent = first;
    first->prev = head->prev;
    head->prev->next = first;
    last->next = head;
    head->prev = last;
  }
  uv_mutex_unlock(&engine->lock);
}

/* Takes a message out of the queue and frees it. */
static void message_free(struct wt__engine *engine, struct wt__message *message) {
  size_t cost = message_cost(message);
  wt__list_remove(&message->link);
  wt__free(message);
  uv_mutex_lock(&engine->lock);
  engine->stats.queued_bytes -= cost;
  uv_mutex_unlock(&engine->lock);
}

static void drop_count(struct wt__engine *engine) {
  uv_mutex_lock(&engine->lock);
  engine->stats.dropped++;
  engine->dropped_untold++;
  uv_mutex_unlock(&engine->lock);
}

static void message_send(struct wt__engine *engine) {
  struct wt__message *message = WT__CONTAINER_OF(engine->unsent, struct wt__message, link);
  engine->unsent = engine->unsent->next;
  engine->sent_count++;
  engine->sent_bytes += message_cost(message);
  if (engine->broker->publish(engine, message)) return;
  if (engine->state != WT__ENGINE_UP) return; /* it was lost instead, and the queue is as after a rewind */
  engine->sent_count--;
  engine->sent_bytes -= message_cost(message);
  message_free(engine, message);
  drop_count(engine);
}

void wt__engine_pump(struct wt__engine *engine) {
  bool sent = false;
  incoming_take(engine);
  while (engine->state == WT__ENGINE_UP && !engine->is_holding && engine->unsent != &engine->queue.head &&
         engine->sent_bytes < WT__WINDOW_MAX) {
    message_send(engine);
    sent = true;
  }
  if (sent && engine->state == WT__ENGINE_UP) engine->broker->flush(engine);
}

/* Frees the oldest message that was sent; false: there is none. */
static bool oldest_free(struct wt__engine *engine) {
  if (engine->sent_count == 0) return false;
  struct wt__message *message = WT__CONTAINER_OF(wt__list_first(&engine->queue), struct wt__message, link);
  engine->sent_count--;
  engine->sent_bytes -= message_cost(message);
  message_free(engine, message);
  return true;
}

/* Sends what waited for the window; not for each confirmation, but when half of the window is free. */
static void window_opened(struct wt__engine *engine) {
  if (engine->unsent != &engine->queue.head && engine->sent_bytes < WT__WINDOW_MAX / 2) wt__engine_pump(engine);
}

void wt__engine_confirmed(struct wt__engine *engine, size_t count) {
  uint64_t freed = 0;
  while (freed < count && oldest_free(engine)) freed++;
  uv_mutex_lock(&engine->lock);
  engine->stats.sent += freed;
  uv_mutex_unlock(&engine->lock);
  window_opened(engine);
}

void wt__engine_refused(struct wt__engine *engine) {
  if (oldest_free(engine)) drop_count(engine);
  wt__engine_tell_drops(engine);
  window_opened(engine);
}

void wt__engine_rewind(struct wt__engine *engine) {
  engine->unsent = engine->queue.head.next;
  engine->sent_count = 0;
  engine->sent_bytes = 0;
}

void wt__engine_clear(struct wt__engine *engine) {
  incoming_take(engine);
  wt__engine_rewind(engine);
  WT__LIST_FOREACH(it, next, &engine->queue) {
    message_free(engine, WT__CONTAINER_OF(it, struct wt__message, link));
    drop_count(engine);
  }
  engine->unsent = &engine->queue.head;
}
