/* SPDX-License-Identifier: MIT */

/*
 * What the application calls about a session's subscriptions. A session has few, so one is found by a walk over them.
 */

#include "core/subscription.h"

#include <string.h>

#include "base/mem.h"
#include "base/sized.h"
#include "core/datagram.h"

#define MESSAGES_MAX 65536u
#define MESSAGES 256u
#define BYTES ((size_t)1024 * 1024)

void wt_subscribe_options_init(struct wt_subscribe_options *options, size_t size) {
  const struct wt_subscribe_options all = {.size = sizeof(all), .max_messages = MESSAGES, .max_bytes = BYTES};
  wt__sized_init(options, size, &all, sizeof(all));
}

static int options_read(struct wt_subscribe_options *options, const struct wt_subscribe_options *given) {
  wt_subscribe_options_default(options);
  int error = given ? wt__sized_read(options, sizeof(*options), given, sizeof(*options)) : 0;
  if (error) return error;
  if ((unsigned)options->delivery > WT_DELIVERY_CALLBACK || (unsigned)options->policy > WT_SLOW_CLOSE) {
    return WT_ERR_INVALID;
  }
  if (options->delivery == WT_DELIVERY_CALLBACK && !options->on_message) return WT_ERR_INVALID;
  bool valid = options->max_messages >= 1 && options->max_messages <= MESSAGES_MAX && options->max_bytes >= 1;
  return valid ? 0 : WT_ERR_INVALID;
}

static bool name_valid(const void *name, size_t len) { return name && len >= 1 && len <= WT__TOPIC_NAME_MAX; }

static struct wt__subscription *subscription_find(const wt_session *session, const void *name, size_t len) {
  WT__LIST_FOREACH(it, next, &session->subscriptions) {
    struct wt__subscription *sub = WT__CONTAINER_OF(it, struct wt__subscription, in_session);
    if (sub->topic->name_len == len && memcmp(sub->topic->name, name, len) == 0) return sub;
  }
  return NULL;
}

/* Without a topic. */
static struct wt__subscription *subscription_new(wt_session *session, const struct wt_subscribe_options *options) {
  struct wt__subscription *sub = wt__calloc(1, sizeof(*sub));
  if (!sub) return NULL;
  sub->session = session;
  sub->options = *options;
  sub->id = ++session->mux->config->topics->last_id;
  sub->waiting.gauge = session->mux->gauge;
  wt__link_init(&sub->in_topic);
  wt__link_init(&sub->in_session);
  wt__link_init(&sub->hungry);
  wt__list_init(&sub->datagrams);
  return sub;
}

static void subscription_join(struct wt__subscription *sub, struct wt__topic *topic) {
  wt_session *session = sub->session;
  sub->topic = topic;
  wt__list_push_back(&topic->subscriptions, &sub->in_topic);
  wt__list_push_back(&session->subscriptions, &sub->in_session);
  session->subscriptions_len++;
  wt__topic_count(&topic->counts.subscribers, 1);
  wt__topic_count(&topic->topics->counts.subscribers, 1);
  wt__gauge_add(session->mux->gauge, sizeof(*sub));
  topic->topics->sum = wt__gauge_sum_of(session->mux->gauge);
}

/* The stream of WT_DELIVERY_STREAM opens at once, if the peer allows it. */
static int subscription_start(struct wt__subscription *sub) {
  if (sub->options.delivery != WT_DELIVERY_STREAM) return 0;
  int error = wt__subscription_open(sub);
  if (error != WT_ERR_STREAM_LIMIT) return error;
  wt__list_push_back(&sub->session->hungry, &sub->hungry);
  return 0;
}

static int subscribe_check(const wt_session *session, const void *name, size_t len,
                           const struct wt_subscribe_options *options) {
  const struct wt__topics *topics = session->mux->config->topics;
  if (!topics) return WT_ERR_UNSUPPORTED;
  if (session->ended) return WT_ERR_CLOSED;
  if (subscription_find(session, name, len)) return WT_ERR_STATE;
  if (session->subscriptions_len >= topics->max_subscriptions) return WT_ERR_AGAIN;
  bool datagrams = session->mux->transport->max_datagram_len(session->mux->ctx) > 0;
  return options->delivery == WT_DELIVERY_DATAGRAM && !datagrams ? WT_ERR_UNSUPPORTED : 0;
}

int wt_session_subscribe(wt_session *session, const void *name, size_t len, const struct wt_subscribe_options *given) {
  struct wt_subscribe_options options;
  struct wt__topic *topic;
  if (!session || !name_valid(name, len)) return WT_ERR_INVALID;
  int error = options_read(&options, given);
  if (error == 0) error = subscribe_check(session, name, len, &options);
  if (error) return error;
  struct wt__topics *topics = session->mux->config->topics;
  struct wt__subscription *sub = subscription_new(session, &options);
  if (!sub) return WT_ERR_NOMEM;
  error = topics->join(topics->ctx, name, len, &topic);
  if (error) {
    wt__free(sub);
    return error;
  }
  subscription_join(sub, topic);
  error = subscription_start(sub);
  if (error) wt__subscription_free(sub);
  return error;
}

int wt_session_unsubscribe(wt_session *session, const void *name, size_t len) {
  if (!session || !name_valid(name, len)) return WT_ERR_INVALID;
  struct wt__subscription *sub = subscription_find(session, name, len);
  if (!sub) return WT_ERR_NOT_FOUND;
  wt__subscription_finish(sub);
  wt__subscription_free(sub);
  return 0;
}

int wt_session_get_subscription_stats(const wt_session *session, const void *name, size_t len,
                                      struct wt_subscription_stats *stats) {
  if (!session || !name_valid(name, len) || wt__sized_check(stats, sizeof(*stats))) return WT_ERR_INVALID;
  const struct wt__subscription *sub = subscription_find(session, name, len);
  if (!sub) return WT_ERR_NOT_FOUND;
  const struct wt_subscription_stats all = {
      .size = sizeof(all),
      .delivered = sub->delivered,
      .dropped = sub->dropped,
      .too_large = sub->too_large,
      .waiting_messages = wt__subscription_messages(sub),
      .waiting_bytes = wt__subscription_bytes(sub),
  };
  return wt__sized_give(stats, &all, sizeof(all), sizeof(all));
}
