/* SPDX-License-Identifier: MIT */

/*
 * Messages between threads: see inbox.h.
 */

#include "inbox.h"

#include "base/mem.h"

struct wt__nats_inbox *wt__nats_inbox_new(uv_async_t *wake, size_t max_bytes) {
  struct wt__nats_inbox *inbox = wt__calloc(1, sizeof(*inbox));
  if (!inbox) return NULL;
  if (uv_mutex_init(&inbox->lock) != 0) {
    wt__free(inbox);
    return NULL;
  }
  inbox->wake = wake;
  inbox->references = 1;
  inbox->end = &inbox->first;
  inbox->max_bytes = max_bytes;
  return inbox;
}

void wt__nats_inbox_ref(struct wt__nats_inbox *inbox) {
  uv_mutex_lock(&inbox->lock);
  inbox->references++;
  uv_mutex_unlock(&inbox->lock);
}

void wt__nats_inbox_unref(struct wt__nats_inbox *inbox) {
  uv_mutex_lock(&inbox->lock);
  bool is_last = --inbox->references == 0;
  uv_mutex_unlock(&inbox->lock);
  if (!is_last) return;
  for (natsMsg *message; (message = wt__nats_inbox_take(inbox));) natsMsg_Destroy(message);
  uv_mutex_destroy(&inbox->lock);
  wt__free(inbox);
}

void wt__nats_inbox_close(struct wt__nats_inbox *inbox) {
  uv_mutex_lock(&inbox->lock);
  inbox->wake = NULL;
  uv_mutex_unlock(&inbox->lock);
}

static size_t message_cost(natsMsg *message) {
  return sizeof(struct wt__nats_inbox_item) + 256 + (size_t)natsMsg_GetDataLength(message);
}

static bool has_room(const struct wt__nats_inbox *inbox, size_t cost) {
  return inbox->bytes == 0 || (inbox->bytes < inbox->max_bytes && cost <= inbox->max_bytes - inbox->bytes);
}

void wt__nats_inbox_put(struct wt__nats_inbox *inbox, natsMsg *message, bool must) {
  struct wt__nats_inbox_item *item = wt__malloc(sizeof(*item));
  size_t cost = message_cost(message);
  uv_mutex_lock(&inbox->lock);
  bool take = item && inbox->wake && (must || has_room(inbox, cost));
  if (take) {
    *item = (struct wt__nats_inbox_item){.message = message};
    *inbox->end = item;
    inbox->end = &item->next;
    inbox->bytes += cost;
    uv_async_send(inbox->wake);
  }
  uv_mutex_unlock(&inbox->lock);
  if (take) return;
  wt__free(item);
  natsMsg_Destroy(message);
}

natsMsg *wt__nats_inbox_take(struct wt__nats_inbox *inbox) {
  uv_mutex_lock(&inbox->lock);
  struct wt__nats_inbox_item *item = inbox->first;
  natsMsg *message = item ? item->message : NULL;
  if (item) {
    inbox->first = item->next;
    if (!inbox->first) inbox->end = &inbox->first;
    inbox->bytes -= message_cost(message);
  }
  uv_mutex_unlock(&inbox->lock);
  wt__free(item);
  return message;
}
