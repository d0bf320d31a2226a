/* SPDX-License-Identifier: MIT */

/*
 * One message to all subscribers on this worker: a walk over the topic's list, which costs each of them a reference.
 *
 * A policy may close a session, which takes the session's subscriptions out of their lists, also the one that the walk is
 * at. It has no other subscription to the same topic, so the next one in the list stays. The topic itself stays until the
 * walk is over.
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
  topic->delivering = true;
  WT__LIST_FOREACH(it, next, &topic->subscriptions) {
    struct wt__subscription *sub = WT__CONTAINER_OF(it, struct wt__subscription, in_topic);
    if (sub->session == message->except && sub->session->number == message->except_number) continue;
    wt__subscription_take(sub, part);
  }
  topic->delivering = false;
  if (wt__list_empty(&topic->subscriptions)) topic->topics->leave(topic->topics->ctx, topic);
}
