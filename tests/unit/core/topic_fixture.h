/* SPDX-License-Identifier: MIT */
#ifndef WT_TESTS_TOPIC_FIXTURE_H
#define WT_TESTS_TOPIC_FIXTURE_H

/* The topics of a worker with one mux: names are found in a short list. */

#include "core/datagram.h"
#include "core/subscription.h"
#include "mux_fixture.h"

#define NAMES_MAX 8

struct topic_name {
  struct wt__topic topic;
  uint8_t name[WT__TOPIC_NAME_MAX];
  bool used;
};

struct topic_fixture {
  struct mux_fixture mux;
  struct wt__topics topics;
  struct topic_name names[NAMES_MAX];
  unsigned left;
  int ends; /* calls of `on_end` */
};

static inline int hub_join(void *ctx, const uint8_t *name, size_t len, struct wt__topic **out) {
  struct topic_fixture *f = ctx;
  struct topic_name *empty = NULL;
  for (size_t i = 0; i < NAMES_MAX; i++) {
    struct topic_name *n = &f->names[i];
    if (!n->used && !empty) empty = n;
    if (!n->used || n->topic.name_len != len || memcmp(n->name, name, len)) continue;
    *out = &n->topic;
    return 0;
  }
  if (!empty) return WT_ERR_AGAIN;
  empty->used = true;
  memcpy(empty->name, name, len);
  wt__topic_init(&empty->topic, &f->topics, empty->name, len);
  *out = &empty->topic;
  return 0;
}

static inline void hub_leave(void *ctx, struct wt__topic *topic) {
  struct topic_fixture *f = ctx;
  WT__CONTAINER_OF(topic, struct topic_name, topic)->used = false;
  f->left++;
}

static inline void topic_fixture_init(struct topic_fixture *f) {
  memset(f, 0, sizeof(*f));
  fixture_init(&f->mux);
  f->topics.join = hub_join;
  f->topics.leave = hub_leave;
  f->topics.ctx = f;
  f->topics.max_subscriptions = 4;
  f->mux.config.topics = &f->topics;
  f->mux.config.max_datagrams_queued = 100;
  f->mux.config.max_stream_send_buffer = 1000000;
}

static inline void topic_on_end(wt_session *session, const void *topic, size_t len, void *ud) {
  struct topic_fixture *f = ud;
  f->ends++;
  APP(&f->mux, "end %d '%.*s'; ", (int)wt_session_id(session), (int)len, (const char *)topic);
}

static inline struct wt_subscribe_options topic_options(struct topic_fixture *f, enum wt_delivery delivery,
                                                        enum wt_slow_policy policy, size_t max_messages) {
  struct wt_subscribe_options options;
  wt_subscribe_options_default(&options);
  options.delivery = delivery;
  options.policy = policy;
  options.max_messages = max_messages;
  options.close_code = 7;
  options.on_end = topic_on_end;
  options.user_data = f;
  return options;
}

/* Delivers as the layer above does; does nothing without a subscriber. */
static inline void topic_say_except(struct topic_fixture *f, const char *name, const void *data, size_t len,
                                    const wt_session *except) {
  struct wt__message *message = wt__message_new(1, data, len);
  assert_non_null(message);
  message->except = except;
  message->except_number = except ? wt__session_number(except) : 0;
  wt__part_begin(&message->parts[0], f->topics.sum);
  for (size_t i = 0; i < NAMES_MAX; i++) {
    struct topic_name *n = &f->names[i];
    if (!n->used || n->topic.name_len != strlen(name) || memcmp(n->name, name, strlen(name))) continue;
    wt__topic_deliver(&n->topic, &message->parts[0]);
    break;
  }
  wt__part_unref(&message->parts[0]);
}

static inline void topic_say(struct topic_fixture *f, const char *name, const char *text) {
  topic_say_except(f, name, text, strlen(text), NULL);
}

/* Lets the transport take all datagrams; notes them. */
static inline void topic_send_datagrams(struct topic_fixture *f) {
  struct wt__vec d;
  while (wt__mux_next_datagram(&f->mux.mux, &d)) {
    WIRE(&f->mux, "%d:%.*s ", (int)d.data[0] * 4, (int)(d.len - 1), (const char *)d.data + 1);
    wt__mux_datagram_done(&f->mux.mux, true);
  }
}

static inline struct wt_subscription_stats topic_stats_of(wt_session *session, const char *name) {
  struct wt_subscription_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_session_get_subscription_stats(session, name, strlen(name), &stats), 0);
  return stats;
}

/* What the transport acknowledges at once when it takes it. */
struct topic_bytes {
  int64_t id;
  uint8_t bytes[65536];
  size_t len;
  bool fin;
};

/* Takes bytes of the next stream, at most `max`. Returns its id, or -1. */
static inline int64_t topic_take(struct topic_fixture *f, struct topic_bytes *to, size_t max) {
  struct wt__send send;
  wt_stream *stream;
  size_t taken = 0;
  if (!wt__mux_next(&f->mux.mux, &send, &stream)) return -1;
  for (size_t i = 0; i < send.count && taken < max; i++) {
    size_t n = send.vecs[i].len < max - taken ? send.vecs[i].len : max - taken;
    assert_true(to->len + n <= sizeof(to->bytes));
    memcpy(to->bytes + to->len, send.vecs[i].data, n);
    to->len += n;
    taken += n;
    if (n < send.vecs[i].len) send.fin = false;
  }
  to->id = send.id;
  to->fin = send.fin;
  wt__stream_sent(stream, taken, send.fin);
  return send.id;
}

static inline void topic_fixture_end(struct topic_fixture *f) { fixture_end(&f->mux); }

#endif
