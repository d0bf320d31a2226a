/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_SUBSCRIPTION_H
#define WT_CORE_SUBSCRIPTION_H

/*
 * A session's subscription to a topic, for the files of core.
 *
 *   topic.c                a message goes to all subscriptions of a topic
 *   subscription_take.c    a subscription takes it: it begins at once, or waits, or the policy has its say
 *   subscription_stream.c  the two deliveries by streams; that by datagrams is in datagram.c
 *   subscription.c         what the application calls
 *   subscription_end.c     the end of one, or of all those of a session
 *
 *                          +--> datagrams, in the session's queue --------+
 *   message -- reference --+                                             +--> QUIC
 *                          +--> waiting (ring) --begin--> a stream's queue
 *                          +--> the application's callback
 *
 * Messages in the ring, and datagrams, can still be dropped. A stream's queue gets the next message only when little of it
 * is left unsent, so that few messages are beyond the reach of the policy.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/topic.h>

#include "base/list.h"
#include "core/part_ring.h"
#include "core/session.h"
#include "core/topic.h"

struct wt__subscription {
  struct wt__link in_topic;   /* in topic->subscriptions */
  struct wt__link in_session; /* in session->subscriptions */
  struct wt__link hungry;     /* in session->hungry: messages wait until a stream can be opened */
  struct wt__topic *topic;
  wt_session *session;
  uint64_t id; /* unique on the worker, never 0 */
  struct wt_subscribe_options options;

  struct wt__part_ring waiting; /* for a stream */
  wt_stream *stream;            /* WT_DELIVERY_STREAM: NULL until it is open */
  unsigned begun;               /* WT_DELIVERY_STREAM_EACH: streams with bytes that are not sent */
  struct wt__list datagrams;    /* WT_DELIVERY_DATAGRAM: those in the session's queue, oldest first */
  size_t datagrams_len, datagram_bytes;

  uint64_t delivered, dropped, too_large;
};

static inline size_t wt__subscription_messages(const struct wt__subscription *sub) {
  return sub->waiting.len + sub->datagrams_len;
}
static inline size_t wt__subscription_bytes(const struct wt__subscription *sub) {
  return sub->waiting.bytes + sub->datagram_bytes;
}

/* Counts for the subscription, its topic and the worker. */
#define WT__SUBSCRIPTION_COUNT(sub, what)                   \
  do {                                                      \
    (sub)->what++;                                          \
    wt__topic_count(&(sub)->topic->counts.what, 1);         \
    wt__topic_count(&(sub)->topic->topics->counts.what, 1); \
  } while (0)

/* Takes a reference to the message, or drops it. May end the session, and the subscription with it. */
void wt__subscription_take(struct wt__subscription *sub, struct wt__part *part);

/* --- By streams --- */

/* Opens the stream of WT_DELIVERY_STREAM. WT_ERR_STREAM_LIMIT, WT_ERR_CLOSED, WT_ERR_NOMEM. */
int wt__subscription_open(struct wt__subscription *sub);
/* Hands the message to a stream, if nothing waits before it. WT_ERR_AGAIN: it has to wait; WT_ERR_NOMEM: it is lost. */
int wt__subscription_begin(struct wt__subscription *sub, struct wt__part *part);
/* Hands over what waits, as far as there is room. */
void wt__subscription_feed(struct wt__subscription *sub);
/* Hands over all that waits for WT_DELIVERY_STREAM, and then the FIN. */
void wt__subscription_finish(struct wt__subscription *sub);
/* Streams can be opened again, or bytes were sent: feeds the subscriptions of the session that wait for that. */
void wt__subscriptions_run(wt_session *session);

/* --- End --- */

/* Frees it. What was handed over is sent; what waits is dropped, and not counted. The topic may be left. */
void wt__subscription_free(struct wt__subscription *sub);
/* Frees all those of the session, which has ended. */
void wt__subscriptions_drop(wt_session *session);

#endif
