/* SPDX-License-Identifier: MIT */
/* What is counted of topics and of the backplane: their names in every format, and what they mean. */
#include "serve/topic_counts.h"

#include <webtransport/backplane.h>
#include <webtransport/topic.h>

#include "serve/report.h"
#include "serve/topics.h"

#define TOPIC_STATS(X)                                                                                                 \
  X(topics, "topics", "gauge", "Topics that have a subscriber")                                                        \
  X(subscribers, "topic_subscribers", "gauge", "Subscriptions to topics")                                              \
  X(published, "topic_published", "counter", "Messages published here that had subscribers here")                      \
  X(delivered, "topic_delivered", "counter", "Messages to subscribers that were handed to QUIC")                       \
  X(dropped, "topic_dropped", "counter", "Messages to subscribers dropped because they were slow or memory was short") \
  X(too_large, "topic_too_large", "counter", "Messages to subscribers dropped because no datagram can be so large")    \
  X(refused, "topic_refused", "counter", "Messages of other servers that were not delivered")

#define BACKPLANE_STATS(X)                                                               \
  X(up, "gauge", "1 while the broker is connected, else 0")                              \
  X(connects, "counter", "Times that the broker was connected")                          \
  X(published, "counter", "Messages of this server for other servers")                   \
  X(sent, "counter", "Messages that were handed to the broker")                          \
  X(dropped, "counter", "Messages of this server that other servers do not get")         \
  X(queued_bytes, "gauge", "Bytes of messages that wait for the broker")                 \
  X(received, "counter", "Messages of other servers that were delivered")                \
  X(missed, "counter", "Messages of other servers that did not arrive")                  \
  X(repeated, "counter", "Messages of other servers that came twice; one was delivered") \
  X(invalid, "counter", "Messages of the broker that are none of another server")        \
  X(subscriptions, "gauge", "Topics subscribed at the broker")

static void backplane_counts(struct wt_backplane *backplane, count_visit visit, void *user_data) {
  struct wt_backplane_stats stats = {.size = sizeof stats};
  if (!backplane->get_stats || backplane->get_stats(backplane, &stats)) return;
#define VISIT(member, type, help) visit("backplane_" #member, type, help, stats.member, user_data);
  BACKPLANE_STATS(VISIT)
#undef VISIT
}

void topic_counts(const struct site *site, count_visit visit, void *user_data) {
  struct wt_topic_stats stats = {.size = sizeof stats};
  if (!site->topics || wt_server_get_topic_stats(site->server, NULL, 0, &stats)) return;
#define VISIT(member, name, type, help) visit(name, type, help, stats.member, user_data);
  TOPIC_STATS(VISIT)
#undef VISIT
  visit("topic_over_rate", "counter", "Datagrams not published because their session sent too many",
        atomic_load(&site->topics->over_rate), user_data);
  visit("topic_not_published", "counter", "Messages not published because they were too large or memory was short",
        atomic_load(&site->topics->refused), user_data);
  if (site->backplane) backplane_counts(site->backplane, visit, user_data);
}
