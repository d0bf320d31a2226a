/* SPDX-License-Identifier: MIT */
/*
 * Topics between whole stacks: what subscribers get by each delivery, and what the slow lose while others go on.
 */
#include "net/hub.h"
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

struct topics {
  struct wt__hub hub; /* of one worker */
  struct pair pair;
  struct server_session *client[3], *server[3];
};

static void topics_init(struct topics *t) {
  struct wt__topic *topic;
  memset(t, 0, sizeof(*t));
  assert_int_equal(wt__hub_init(&t->hub, 1), 0);
  /* So that the table is there before the fixtures count what is allocated. */
  struct wt__topics *topics = &t->hub.workers[0].topics;
  assert_int_equal(topics->join(topics->ctx, (const uint8_t *)"x", 1, &topic), 0);
  topics->leave(topics->ctx, topic);
  pair_init(&t->pair);
  t->pair.server.config.h3.mux.topics = &t->hub.workers[0].topics;
}

static void topics_connect(struct topics *t, size_t sessions) {
  pair_connect(&t->pair);
  NET_UNTIL(&t->pair.net, 5000, t->pair.link->ready);
  for (size_t i = 0; i < sessions; i++) {
    t->client[i] = client_session(&t->pair.client, t->pair.link, "/wt");
    t->server[i] = session_opposite(&t->pair.server, t->client[i]);
  }
}

static void topics_free(struct topics *t) {
  pair_free(&t->pair);
  assert_int_equal(t->hub.len, 0);
  wt__hub_free(&t->hub);
}

static void subscribe(struct topics *t, size_t session, enum wt_delivery delivery, enum wt_slow_policy policy,
                      size_t max_messages) {
  struct wt_subscribe_options options;
  wt_subscribe_options_default(&options);
  options.delivery = delivery;
  options.policy = policy;
  options.max_messages = max_messages;
  options.close_code = 42;
  assert_int_equal(wt_session_subscribe(t->server[session]->session, "t", 1, &options), 0);
}

/* Publishes and delivers, as a turn of a worker does. */
static void say(struct topics *t, const void *data, size_t len) {
  assert_int_equal(wt__hub_publish(&t->hub, "t", 1, data, len, NULL), 0);
  while (wt__hub_run(&t->hub.workers[0])) continue;
}

static void say_number(struct topics *t, uint32_t number, size_t len) {
  static uint8_t bytes[65536];
  memcpy(bytes, &number, sizeof(number));
  say(t, bytes, len);
}

static struct wt_subscription_stats stats_of(const struct topics *t, size_t session) {
  struct wt_subscription_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_session_get_subscription_stats(t->server[session]->session, "t", 1, &stats), 0);
  return stats;
}

/* The numbers on a standing stream so far: each larger than the one before. Returns how many; `*last`: the last one. */
static size_t numbers_of(const struct server_stream *stream, uint32_t *first, uint32_t *last) {
  size_t at = 5, count = 0; /* behind the name */
  if (!stream || stream->rx.len < at) return 0;
  assert_memory_equal(stream->rx.data, "\0\0\0\1t", 5);
  while (stream->rx.len - at >= 8) {
    const uint8_t *p = stream->rx.data + at;
    size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    uint32_t number;
    if (stream->rx.len - at - 4 < len) break;
    memcpy(&number, p + 4, sizeof(number));
    if (count == 0) *first = number;
    if (count > 0) assert_true(number > *last);
    *last = number;
    at += 4 + len;
    count++;
  }
  return count;
}

static void on_message(wt_session *session, const void *topic, size_t topic_len, const uint8_t *data, size_t len,
                       void *user_data) {
  (void)topic, (void)topic_len;
  assert_int_equal(wt_stream_write(user_data, data, len, NULL), 0);
  if (len == 3) assert_int_equal(wt_session_close(session, 9, NULL, 0), 0);
}

/* The application passes messages on, on a stream of its own, until it ends the session in the callback. */
static void test_topics_by_callback(void **state) {
  (void)state;
  struct topics t;
  struct wt_subscribe_options options;
  wt_stream *stream;
  topics_init(&t);
  topics_connect(&t, 2);
  wt_subscribe_options_default(&options);
  options.delivery = WT_DELIVERY_CALLBACK;
  options.on_message = on_message;
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(wt_session_open_uni(t.server[i]->session, &stream), 0);
    options.user_data = stream;
    assert_int_equal(wt_session_subscribe(t.server[i]->session, "t", 1, &options), 0);
  }
  say(&t, "both", 4);
  say(&t, "hear", 4);
  NET_UNTIL(&t.pair.net, 5000, server_stream(t.client[0], 0) && server_stream(t.client[0], 0)->rx.len == 8);
  NET_UNTIL(&t.pair.net, 5000, server_stream(t.client[1], 0) && server_stream(t.client[1], 0)->rx.len == 8);
  assert_memory_equal(server_stream(t.client[1], 0)->rx.data, "bothhear", 8);
  say(&t, "end", 3);
  say(&t, "late", 4);
  NET_UNTIL(&t.pair.net, 5000, t.client[0]->closes == 1 && t.client[1]->closes == 1);
  topics_free(&t);
}

static void test_topics_by_each_delivery(void **state) {
  (void)state;
  struct topics t;
  uint32_t first, last;
  topics_init(&t);
  topics_connect(&t, 3);
  subscribe(&t, 0, WT_DELIVERY_DATAGRAM, WT_SLOW_DROP_OLDEST, 256);
  subscribe(&t, 1, WT_DELIVERY_STREAM_EACH, WT_SLOW_DROP_OLDEST, 256);
  subscribe(&t, 2, WT_DELIVERY_STREAM, WT_SLOW_DROP_OLDEST, 256);
  for (uint32_t i = 0; i < 300; i++) {
    say_number(&t, i, i % 7 == 0 ? 900 : 20);
    if (i % 10 == 9) net_run_for(&t.pair.net, 5);
  }
  NET_UNTIL(&t.pair.net, 5000, t.client[0]->datagrams == 300 && t.client[1]->streams == 300);
  NET_UNTIL(&t.pair.net, 5000, numbers_of(server_stream(t.client[2], 0), &first, &last) == 300);
  NET_UNTIL(&t.pair.net, 5000, server_stream(t.client[1], 299)->fin);
  for (uint32_t i = 0; i < 300; i++) {
    const struct server_stream *stream = server_stream(t.client[1], i);
    assert_int_equal(stream->rx.len, i % 7 == 0 ? 900 : 20);
  }
  for (size_t i = 0; i < 3; i++) assert_int_equal(stats_of(&t, i).delivered, 300);
  assert_int_equal(wt_session_unsubscribe(t.server[2]->session, "t", 1), 0);
  NET_UNTIL(&t.pair.net, 5000, server_stream(t.client[2], 0)->fin);
  topics_free(&t);
}

/* --- The slow --- */

/* Two subscribers on two streams. The first one stops reading; the other one gets everything. */
static void slow_begin(struct topics *t, enum wt_slow_policy policy) {
  topics_init(t);
  t->pair.client.config.initial_max_stream_data = 20000;
  t->pair.client.config.max_stream_data = 20000;
  topics_connect(t, 2);
  subscribe(t, 0, WT_DELIVERY_STREAM, policy, 50);
  subscribe(t, 1, WT_DELIVERY_STREAM, WT_SLOW_DROP_OLDEST, 256);
  NET_UNTIL(&t->pair.net, 5000, server_stream(t->client[0], 0) && server_stream(t->client[1], 0));
  wt_stream_pause(server_stream(t->client[0], 0)->stream);
}

static void slow_publish(struct topics *t, uint32_t from, uint32_t count) {
  uint32_t first, last = 0;
  for (uint32_t i = from; i < from + count; i++) {
    say_number(t, i, 500);
    if (i % 10 == 9) net_run_for(&t->pair.net, 25);
  }
  NET_UNTIL(&t->pair.net, 5000, numbers_of(server_stream(t->client[1], 0), &first, &last) == from + count);
  assert_int_equal(last, from + count - 1);
}

static void test_topics_slow_subscriber_holds_nobody_up(void **state) {
  (void)state;
  for (int policy = WT_SLOW_DROP_OLDEST; policy <= WT_SLOW_LATEST; policy++) {
    struct topics t;
    uint32_t first = 0, last = 0;
    slow_begin(&t, (enum wt_slow_policy)policy);
    slow_publish(&t, 0, 2000);
    struct wt_subscription_stats stats = stats_of(&t, 0);
    assert_int_equal(stats.waiting_messages, policy == WT_SLOW_LATEST ? 1 : 50);
    assert_int_equal(stats.delivered + stats.dropped + stats.waiting_messages, 2000);
    assert_in_range(stats.delivered, 20000 / 504, 40000 / 504);
    wt_stream_resume(server_stream(t.client[0], 0)->stream);
    size_t all = (size_t)stats.delivered + stats.waiting_messages;
    NET_UNTIL(&t.pair.net, 5000, numbers_of(server_stream(t.client[0], 0), &first, &last) == all);
    assert_int_equal(first, 0);
    assert_int_equal(last, policy == WT_SLOW_DROP_NEWEST ? all - 1 : 1999);
    say_number(&t, 2000, 500); /* it is as fast as the others again */
    NET_UNTIL(&t.pair.net, 5000, numbers_of(server_stream(t.client[0], 0), &first, &last) == all + 1 && last == 2000);
    topics_free(&t);
  }
}

static void test_topics_slow_subscriber_is_closed(void **state) {
  (void)state;
  struct topics t;
  slow_begin(&t, WT_SLOW_CLOSE);
  slow_publish(&t, 0, 500);
  NET_UNTIL(&t.pair.net, 5000, t.client[0]->closes == 1);
  assert_int_equal(t.client[0]->info.code, 42);
  assert_string_equal(t.client[0]->reason, "too slow for its subscription");
  assert_int_equal(atomic_load(&t.hub.workers[0].topics.counts.closed), 1);
  assert_int_equal(atomic_load(&t.hub.workers[0].topics.counts.subscribers), 1);
  topics_free(&t);
}

/* A peer that does not read for long costs what its bounds say, however much is published. */
static void test_topics_memory_stays_flat(void **state) {
  (void)state;
  struct topics t;
  struct wt__endpoint_stats stats;
  topics_init(&t);
  t.pair.client.config.initial_max_stream_data = 20000;
  t.pair.client.config.max_stream_data = 20000;
  t.pair.client.records.frugal = true;
  t.pair.client.records.forget = true;
  topics_connect(&t, 3);
  for (size_t i = 0; i < 3; i++) subscribe(&t, i, (enum wt_delivery)i, WT_SLOW_DROP_OLDEST, 100);
  NET_UNTIL(&t.pair.net, 5000, server_stream(t.client[2], 0));
  wt_stream_pause(server_stream(t.client[2], 0)->stream);
  size_t most[2] = {0, 0};
  int64_t live[2] = {0, 0};
  for (uint32_t i = 0; i < 40000; i++) {
    say_number(&t, i, 400);
    if (i % 20 == 19) net_run_for(&t.pair.net, 10);
    if (i % 100 != 0) continue;
    wt__endpoint_get_stats(t.pair.server.endpoint, &stats);
    int half = i >= 20000;
    if (stats.memory_used > most[half]) most[half] = stats.memory_used;
    if (wt__mem_live() > live[half]) live[half] = wt__mem_live();
  }
  print_message("%zu and %zu bytes, %d and %d blocks\n", most[0], most[1], (int)live[0], (int)live[1]);
  assert_true(most[1] < most[0] + most[0] / 4);
  assert_true(live[1] < live[0] + live[0] / 4);
  wt_stream_resume(server_stream(t.client[2], 0)->stream);
  net_run_for(&t.pair.net, 1000);
  topics_free(&t);
}

/* --- An hour --- */

enum {
  MINUTES = 60,
  A_MINUTE = 600,      /* messages: ten a second */
  MEMORY_SLACK = 2048, /* bytes */
  BLOCKS_SLACK = 16,
};

/* What the server holds, and how many blocks both ends do, when nothing is under way. */
struct footprint {
  size_t memory;
  int64_t blocks;
};

/* A minute of messages of all lengths; meanwhile the third session leaves the topic and comes back. */
static struct footprint minute_run(struct topics *t, uint32_t minute) {
  struct wt__endpoint_stats stats;
  for (uint32_t i = 0; i < A_MINUTE; i++) {
    if (i == A_MINUTE / 3) assert_int_equal(wt_session_unsubscribe(t->server[2]->session, "t", 1), 0);
    if (i == A_MINUTE / 2) subscribe(t, 2, WT_DELIVERY_STREAM, WT_SLOW_DROP_OLDEST, 256);
    say_number(t, minute * A_MINUTE + i, i % 10 == 9 ? 900 : 100);
    net_run_for(&t->pair.net, 100);
  }
  net_run_for(&t->pair.net, 5000);
  wt__endpoint_get_stats(t->pair.server.endpoint, &stats);
  return (struct footprint){.memory = stats.memory_used, .blocks = wt__mem_live()};
}

/* After the second minute, 58 more change nothing. */
static void test_topics_memory_after_an_hour(void **state) {
  (void)state;
  struct topics t;
  struct footprint early = {0}, now;
  topics_init(&t);
  t.pair.client.records.frugal = t.pair.server.frugal = true;
  t.pair.client.records.forget = t.pair.server.forget = true;
  topics_connect(&t, 3);
  for (size_t i = 0; i < 3; i++) subscribe(&t, i, (enum wt_delivery)i, WT_SLOW_DROP_OLDEST, 256);
  for (uint32_t minute = 0; minute < MINUTES; minute++) {
    now = minute_run(&t, minute);
    if (minute < 2) early = now;
    if (minute % 10 == 9) print_message("%u minutes: %zu bytes, %d blocks\n", minute + 1, now.memory, (int)now.blocks);
    assert_in_range(now.memory, early.memory - MEMORY_SLACK, early.memory + MEMORY_SLACK);
    assert_in_range(now.blocks, early.blocks - BLOCKS_SLACK, early.blocks + BLOCKS_SLACK);
  }
  for (size_t i = 0; i < 2; i++) assert_int_equal(stats_of(&t, i).delivered, MINUTES * A_MINUTE);
  for (size_t i = 0; i < 3; i++) assert_int_equal(stats_of(&t, i).dropped, 0);
  assert_int_equal(t.client[0]->datagrams, MINUTES * A_MINUTE);
  topics_free(&t);
}

/* --- Credit, and ends --- */

static void test_topics_streams_wait_for_credit(void **state) {
  (void)state;
  struct topics t;
  topics_init(&t);
  t.pair.client.config.max_streams_uni = 6; /* three are HTTP/3's */
  topics_connect(&t, 1);
  subscribe(&t, 0, WT_DELIVERY_STREAM_EACH, WT_SLOW_DROP_OLDEST, 256);
  for (uint32_t i = 0; i < 100; i++) say_number(&t, i, 100);
  assert_true(stats_of(&t, 0).waiting_messages > 90);
  NET_UNTIL(&t.pair.net, 10000, t.client[0]->streams == 100);
  for (uint32_t i = 0; i < 100; i++) {
    uint32_t number;
    NET_UNTIL(&t.pair.net, 1000, server_stream(t.client[0], i)->fin);
    memcpy(&number, server_stream(t.client[0], i)->rx.data, sizeof(number));
    assert_int_equal(number, i); /* they begin in order */
  }
  assert_int_equal(t.server[0]->credits[WT_UNIDIRECTIONAL], 0); /* the application asked for none */
  topics_free(&t);
}

static unsigned ends;

static void on_end(wt_session *session, const void *topic, size_t len, void *user_data) {
  struct topics *t = user_data;
  ends++;
  assert_int_equal(len, 1);
  assert_memory_equal(topic, "t", 1);
  if (ends == 1) subscribe(t, session == t->server[0]->session ? 0 : 1, WT_DELIVERY_STREAM, WT_SLOW_LATEST, 1);
}

/* A stream on which nothing moves is given up as any other; the application hears it, and may subscribe again at once. */
static void test_topics_stream_is_given_up(void **state) {
  (void)state;
  struct topics t;
  struct wt_subscribe_options options;
  topics_init(&t);
  ends = 0;
  t.pair.client.config.initial_max_stream_data = 5000;
  t.pair.client.config.max_stream_data = 5000;
  t.pair.server.config.h3.mux.send_timeout_ms = 4000;
  topics_connect(&t, 1);
  wt_subscribe_options_default(&options);
  options.delivery = WT_DELIVERY_STREAM;
  options.on_end = on_end;
  options.user_data = &t;
  assert_int_equal(wt_session_subscribe(t.server[0]->session, "t", 1, &options), 0);
  NET_UNTIL(&t.pair.net, 5000, server_stream(t.client[0], 0));
  wt_stream_pause(server_stream(t.client[0], 0)->stream);
  for (uint32_t i = 0; i < 100; i++) say_number(&t, i, 500);
  NET_UNTIL(&t.pair.net, 10000, ends == 1);
  assert_int_equal(t.server[0]->closes, 0);
  say_number(&t, 100, 500);
  uint32_t first, last = 0;
  NET_UNTIL(&t.pair.net, 5000, numbers_of(server_stream(t.client[0], 1), &first, &last) == 1 && last == 100);
  assert_int_equal(ends, 1);
  topics_free(&t);
}

static struct topics *hooked;

/* A callback publishes, and ends its own session or subscription in the same breath. */
static void hook(struct server *server, enum server_event event, struct server_session *session,
                 struct server_stream *stream) {
  (void)server, (void)stream;
  if (event != SERVER_DATAGRAM) return;
  uint8_t what = session->last_datagram.data[0];
  assert_int_equal(wt__hub_publish(&hooked->hub, "t", 1, "hello", 5, what == 'x' ? session->session : NULL), 0);
  if (what == 'c') assert_int_equal(wt_session_close(session->session, 1, NULL, 0), 0);
  if (what == 'u') assert_int_equal(wt_session_unsubscribe(session->session, "t", 1), 0);
}

static void test_topics_in_callbacks(void **state) {
  (void)state;
  struct topics t;
  topics_init(&t);
  topics_connect(&t, 3);
  hooked = &t;
  t.pair.server.hook = hook;
  for (size_t i = 0; i < 3; i++) subscribe(&t, i, WT_DELIVERY_DATAGRAM, WT_SLOW_DROP_OLDEST, 256);
  static const char *const says[] = {"x", "u", "c"};
  for (size_t i = 0; i < 3; i++) {
    uint64_t before = t.server[i]->datagrams;
    assert_int_equal(wt_session_send_datagram(t.client[i]->session, says[i], 1), 0);
    NET_UNTIL(&t.pair.net, 1000, t.server[i]->datagrams > before);
    while (wt__hub_run(&t.hub.workers[0])) continue;
    net_run_for(&t.pair.net, 100);
  }
  assert_int_equal(t.client[0]->datagrams, 2); /* not its own */
  assert_int_equal(t.client[1]->datagrams, 1); /* not those after it unsubscribed */
  assert_int_equal(t.client[2]->datagrams, 2);
  NET_UNTIL(&t.pair.net, 1000, t.client[2]->closes == 1);
  topics_free(&t);
}

/* Everything arrives in order over a path that loses and swaps packets. */
static void test_topics_over_a_bad_path(void **state) {
  (void)state;
  struct topics t;
  uint32_t first, last;
  topics_init(&t);
  topics_connect(&t, 2);
  subscribe(&t, 0, WT_DELIVERY_STREAM, WT_SLOW_DROP_OLDEST, 10000);
  subscribe(&t, 1, WT_DELIVERY_STREAM_EACH, WT_SLOW_DROP_OLDEST, 10000);
  for (int i = 0; i < 2; i++) {
    t.pair.net.link[i].loss = 50;
    t.pair.net.link[i].reorder = 100;
    t.pair.net.link[i].reorder_by = 20 * NET_MS;
  }
  for (uint32_t i = 0; i < 500; i++) {
    say_number(&t, i, 50 + i % 1000);
    if (i % 10 == 9) net_run_for(&t.pair.net, 5);
  }
  NET_UNTIL(&t.pair.net, 60000, numbers_of(server_stream(t.client[0], 0), &first, &last) == 500);
  NET_UNTIL(&t.pair.net, 60000, t.client[1]->streams == 500);
  for (uint32_t i = 0; i < 500; i++) NET_UNTIL(&t.pair.net, 60000, server_stream(t.client[1], i)->fin);
  topics_free(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_topics_by_each_delivery),
      cmocka_unit_test(test_topics_by_callback),
      cmocka_unit_test(test_topics_slow_subscriber_holds_nobody_up),
      cmocka_unit_test(test_topics_slow_subscriber_is_closed),
      cmocka_unit_test(test_topics_memory_stays_flat),
      cmocka_unit_test(test_topics_memory_after_an_hour),
      cmocka_unit_test(test_topics_streams_wait_for_credit),
      cmocka_unit_test(test_topics_stream_is_given_up),
      cmocka_unit_test(test_topics_in_callbacks),
      cmocka_unit_test(test_topics_over_a_bad_path),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
