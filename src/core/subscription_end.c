/* SPDX-License-Identifier: MIT */

/*
 * The end of subscriptions. A session may end anywhere (session_end.c), so nothing here calls the application, touches a
 * stream's bytes or leads back to the session.
 */

#include "base/mem.h"
#include "core/stream.h"
#include "core/subscription.h"

/* The stream goes on without the subscription. */
static void stream_detach(wt_stream *stream) {
  stream->callbacks = (struct wt_stream_callbacks){0};
  stream->user_data = NULL;
  stream->on_sent = NULL;
}

/* Datagrams that are queued go on without it. */
static void datagrams_detach(struct wt__subscription *sub) {
  struct wt__link *first;
  while ((first = wt__list_first(&sub->datagrams))) wt__list_remove(first);
}

void wt__subscription_free(struct wt__subscription *sub) {
  struct wt__topic *topic = sub->topic;
  wt_session *session = sub->session;
  if (sub->stream) stream_detach(sub->stream);
  datagrams_detach(sub);
  wt__part_ring_free(&sub->waiting);
  wt__list_remove(&sub->hungry);
  wt__list_remove(&sub->in_session);
  wt__topic_skip(topic, &sub->in_topic);
  wt__list_remove(&sub->in_topic);
  session->subscriptions_len--;
  wt__topic_count(&topic->counts.subscribers, (uint64_t)-1);
  wt__topic_count(&topic->topics->counts.subscribers, (uint64_t)-1);
  if (wt__list_empty(&topic->subscriptions) && !topic->delivering) topic->topics->leave(topic->topics->ctx, topic);
  wt__gauge_remove(session->mux->gauge, sizeof(*sub));
  wt__free(sub);
}

void wt__subscriptions_drop(wt_session *session) {
  struct wt__link *first;
  while ((first = wt__list_first(&session->subscriptions))) {
    wt__subscription_free(WT__CONTAINER_OF(first, struct wt__subscription, in_session));
  }
}
