/* SPDX-License-Identifier: MIT */

/*
 * One message to all subscribers on this worker: a walk over the topic's list, which costs each of them a reference.
 *
 * A policy may close a session, which takes the session's subscriptions out of their lists, also the one that the walk is
 * at. A callback (WT_DELIVERY_CALLBACK) may do so with any session, so a subscription that ends moves the walk on if it is
 * the next one (wt__topic_skip). One that begins meanwhile does not get this message. The topic itself stays until the walk
 * is over.
 */

#include "core/topic.h"

#include "core/subscription.h"

void wt__topic_init(struct wt__topic *topic, struct wt__topics *topics, const uint8_t *name, size_t len) {
  *topic = (struct wt__topic){.topics = topics, .name = name, .name_len = len};
  wt__list_init(&topic->subscriptions);
}

void wt__topic_deliver(struct wt__topic *topic, struct wt__part *part) {
  const struct wt__message *message = part->message;
  if (wt__list_empty(&topic->subscriptions)) return;
  uint64_t last = topic->topics->last_id;
  topic->delivering = true;
  for (topic->next = topic->subscriptions.head.next; topic->next != &topic->subscriptions.head;) {
    struct wt__subscription *sub = WT__CONTAINER_OF(topic->next, struct wt__subscription, in_topic);
    topic->next = topic->next->next;
    if (sub->id > last || (sub->session == message->except && sub->session->number == message->except_number)) continue;
    wt__subscription_take(sub, part);
  }
  topic->delivering = false;
  if (wt__list_empty(&topic->subscriptions)) topic->topics->leave(topic->topics->ctx, topic);
}
