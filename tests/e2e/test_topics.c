/* SPDX-License-Identifier: MIT */

/*
 * Topics on a server with several workers: subscribers on all of them, several threads that publish, all three deliveries.
 * Also run under ThreadSanitizer (label `threads`).
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bed.h"

enum {
  SUBSCRIBERS = 200,
  TOPICS = 20,
  PUBLISHERS = 3, /* threads, and one more: a callback of a worker */
  EACH = 25,      /* messages of a publisher to a topic */
};

/* A message: which topic, which publisher, its number, and bytes that make some of them long. */
struct text {
  uint32_t topic, publisher, number;
  uint8_t more[1000];
};
#define TEXT_MIN offsetof(struct text, more)

static size_t text_len(const struct text *text) { return TEXT_MIN + (text->number % 5 == 0 ? 900 : text->number % 50); }

/* --- Receivers, on the thread of the clients' loop --- */

struct receiver {
  int topic; /* -1: not known yet */
  enum {
    NOTHING,
    DATAGRAMS,
    SINGLES,
    STANDING
  } kind; /* by what has come */
  bool wrong;
  uint32_t next[PUBLISHERS + 1];   /* standing: the next number of each */
  bool seen[PUBLISHERS + 1][EACH]; /* else */
  size_t count;
  uint8_t bytes[4096]; /* of the standing stream: what is not a whole message yet */
  size_t len;
  bool named;
};

/* One message of a stream of its own, until its end. */
struct single {
  struct receiver *receiver;
  uint8_t bytes[sizeof(struct text)];
  size_t len;
};

static void receive(struct receiver *r, const uint8_t *data, size_t len, bool ordered) {
  struct text text = {0};
  if (len < TEXT_MIN || len > sizeof(text)) {
    r->wrong = true;
    return;
  }
  memcpy(&text, data, len);
  if (r->topic < 0) r->topic = (int)text.topic;
  if (text.topic != (uint32_t)r->topic || text.publisher > PUBLISHERS || text.number >= EACH ||
      len != text_len(&text)) {
    r->wrong = true;
    return;
  }
  if (r->seen[text.publisher][text.number]) r->wrong = true;
  r->seen[text.publisher][text.number] = true;
  if (ordered && text.number != r->next[text.publisher]++) r->wrong = true;
  r->count++;
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct receiver *r = user_data;
  (void)session;
  r->kind = DATAGRAMS;
  receive(r, data, len, false);
}

/* Takes whole messages from the beginning of the bytes. */
static void receive_whole(struct receiver *r) {
  size_t at = 0;
  while (r->len - at >= 4) {
    const uint8_t *p = r->bytes + at;
    size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (len > sizeof(struct text)) r->wrong = true;
    if (r->wrong || r->len - at < 4 + len) break;
    if (r->named) {
      receive(r, p + 4, len, true);
    } else {
      r->named = true;
      r->topic = len == 2 ? (p[4] - '0') * 10 + p[5] - '0' : -2;
    }
    at += 4 + len;
  }
  memmove(r->bytes, r->bytes + at, r->len - at);
  r->len -= at;
}

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct single *single = user_data;
  struct receiver *r = single->receiver;
  (void)stream;
  /* A standing stream begins with the length of a name. The messages here begin with other bytes. */
  if (r->kind == NOTHING) r->kind = len >= 4 && memcmp(data, "\0\0\0\2", 4) == 0 ? STANDING : SINGLES;
  if (r->kind == STANDING) {
    while (len > 0 && !r->wrong) {
      size_t room = sizeof(r->bytes) - r->len, n = len < room ? len : room;
      memcpy(r->bytes + r->len, data, n);
      r->len += n;
      data += n;
      len -= n;
      receive_whole(r);
    }
    return;
  }
  if (single->len + len > sizeof(single->bytes)) {
    r->wrong = true;
    return;
  }
  if (len > 0) memcpy(single->bytes + single->len, data, len);
  single->len += len;
  if (fin) receive(r, single->bytes, single->len, false);
}

static void on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream, (void)error;
  free(user_data);
}

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {.on_data = on_data, .on_close = on_close};
  struct single *single = calloc(1, sizeof(*single));
  (void)session;
  single->receiver = user_data;
  wt_stream_set_callbacks(stream, &callbacks, single);
}

/* --- Subscribing, each on the thread of its session --- */

struct errand {
  unsigned topic;
  enum wt_delivery delivery;
  atomic_uint *left, *failed;
};

static void topic_name(char name[3], unsigned topic) { (void)snprintf(name, 3, "%02u", topic % 100); }

static void subscribe(wt_session *session, void *argument) {
  struct errand *errand = argument;
  struct wt_subscribe_options options;
  char name[3];
  wt_subscribe_options_default(&options);
  options.delivery = errand->delivery;
  options.policy = WT_SLOW_DROP_NEWEST;
  options.max_messages = 65536;
  options.max_bytes = (size_t)64 * 1024 * 1024;
  topic_name(name, errand->topic);
  if (!session || wt_session_subscribe(session, name, 2, &options)) atomic_fetch_add(errand->failed, 1);
  atomic_fetch_sub(errand->left, 1);
  free(errand);
}

/* `bed.c` keeps the server's sessions in a list whose links only it knows: they are visited by a call to each. */
struct visitor {
  struct bed *bed;
  wt_session *session;
  pthread_t thread;
  struct visitor *next;
};

static void subscribe_all(struct bed *bed) {
  atomic_uint left = SUBSCRIBERS, failed = 0;
  unsigned i = 0;
  pthread_mutex_lock(&bed->room_lock);
  for (struct visitor *it = bed->room; it; it = it->next, i++) {
    struct errand *errand = calloc(1, sizeof(*errand));
    *errand = (struct errand){i % TOPICS, (enum wt_delivery)(i / TOPICS % 3), &left, &failed};
    assert_int_equal(wt_session_post(it->session, subscribe, errand), 0);
  }
  pthread_mutex_unlock(&bed->room_lock);
  assert_int_equal(i, SUBSCRIBERS);
  while (atomic_load(&left) > 0) uv_run(&bed->pair.loop, UV_RUN_NOWAIT);
  assert_int_equal(atomic_load(&failed), 0);
}

/* --- Publishing --- */

struct publisher {
  wt_server *server;
  uint32_t number;
  atomic_uint *failed;
  atomic_bool done;
};

static void publish_one(struct publisher *p, uint32_t topic, uint32_t number) {
  struct text text = {.topic = topic, .publisher = p->number, .number = number};
  char name[3];
  int error;
  topic_name(name, topic);
  while ((error = wt_server_publish(p->server, name, 2, &text, text_len(&text), NULL)) == WT_ERR_AGAIN) continue;
  if (error) atomic_fetch_add(p->failed, 1);
}

static void *publish_all(void *argument) {
  struct publisher *p = argument;
  for (uint32_t number = 0; number < EACH; number++) {
    for (uint32_t topic = 0; topic < TOPICS; topic++) publish_one(p, topic, number);
  }
  atomic_store(&p->done, true);
  return NULL;
}

static void publish_in_callback(wt_server *server, void *argument) {
  (void)server;
  publish_all(argument);
}

static void publish_from_all(struct bed *bed) {
  struct publisher publishers[PUBLISHERS + 1];
  pthread_t threads[PUBLISHERS];
  atomic_uint failed = 0;
  for (uint32_t i = 0; i <= PUBLISHERS; i++) {
    publishers[i] = (struct publisher){.server = bed->server, .number = i, .failed = &failed};
    atomic_init(&publishers[i].done, false);
  }
  for (uint32_t i = 0; i < PUBLISHERS; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, publish_all, &publishers[i]), 0);
  }
  assert_int_equal(wt_server_post(bed->server, publish_in_callback, &publishers[PUBLISHERS]), 0);
  for (uint32_t i = 0; i < PUBLISHERS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  while (!atomic_load(&publishers[PUBLISHERS].done)) uv_run(&bed->pair.loop, UV_RUN_NOWAIT);
  assert_int_equal(atomic_load(&failed), 0);
}

/* --- Tests --- */

static struct wt_topic_stats stats_of(struct bed *bed) {
  struct wt_topic_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_server_get_topic_stats(bed->server, NULL, 0, &stats), 0);
  return stats;
}

/* The receivers' half. Which of them has which delivery shows by what comes. */
static struct receiver *receivers_new(struct guest *guests) {
  static const struct wt_session_callbacks callbacks = {.on_stream = on_stream, .on_datagram = on_datagram};
  struct receiver *receivers = calloc(SUBSCRIBERS, sizeof(*receivers));
  assert_non_null(receivers);
  for (size_t i = 0; i < SUBSCRIBERS; i++) {
    receivers[i].topic = -1;
    assert_int_equal(guests[i].dialed.error, 0);
    assert_int_equal(wt_session_set_callbacks(guests[i].dialed.session, &callbacks, &receivers[i]), 0);
  }
  return receivers;
}

static size_t received(const struct receiver *receivers) {
  size_t sum = 0;
  for (size_t i = 0; i < SUBSCRIBERS; i++) sum += receivers[i].count;
  return sum;
}

static size_t whole_of(const struct receiver *receivers, int kind) {
  size_t sum = 0;
  for (size_t i = 0; i < SUBSCRIBERS; i++) {
    sum += (int)receivers[i].kind == kind && receivers[i].count == (PUBLISHERS + 1) * EACH;
  }
  return sum;
}

static void turn(struct bed *bed) { uv_run(&bed->pair.loop, UV_RUN_NOWAIT); }

static void test_topics_reach_all_subscribers_in_order(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  size_t left;
  bed_config(&config, 2);
  bed_open(&bed, &config, false);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  struct guest *guests = guests_dial(&bed, SUBSCRIBERS, &left);
  struct receiver *receivers = receivers_new(guests);
  subscribe_all(&bed);
  assert_int_equal(wt_server_subscribers(bed.server, "07", 2), SUBSCRIBERS / TOPICS);
  assert_int_equal(stats_of(&bed).topics, TOPICS);
  publish_from_all(&bed);
  const uint64_t all = (uint64_t)SUBSCRIBERS * (PUBLISHERS + 1) * EACH;
  struct wt_topic_stats stats = stats_of(&bed);
  for (long turns = 0; stats.delivered + stats.dropped + stats.too_large < all; turns++) {
    assert_true(turns < TURNS_MAX);
    turn(&bed);
    stats = stats_of(&bed);
  }
  assert_int_equal(stats.published, TOPICS * (PUBLISHERS + 1) * EACH);
  assert_int_equal(stats.too_large, 0);
  /* Streams bring everything; datagrams what the network does not lose. */
  for (long turns = 0; whole_of(receivers, SINGLES) < 60 || whole_of(receivers, STANDING) < 60; turns++) {
    assert_true(turns < TURNS_MAX);
    turn(&bed);
  }
  for (size_t i = 0; i < SUBSCRIBERS; i++) assert_false(receivers[i].wrong);
  size_t datagrams = received(receivers) - (size_t)(2 * 60 * (PUBLISHERS + 1) * EACH);
  assert_in_range(datagrams, 1, stats.delivered - 2 * 60 * (PUBLISHERS + 1) * EACH);
  bed_close(&bed);
  free(receivers);
  free(guests);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_topics_reach_all_subscribers_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
