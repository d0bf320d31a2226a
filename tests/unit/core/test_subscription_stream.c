/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "topic_fixture.h"
#include "wire/stream_header.h"

#define SUBSCRIBE(s, name, options) wt_session_subscribe(s, name, strlen(name), options)
#define UNSUBSCRIBE(s, name) wt_session_unsubscribe(s, name, strlen(name))
#define HEADER 3 /* bytes of a stream's header, for small session ids */

static struct topic_bytes bytes;

static void take_all(struct topic_fixture *f) {
  memset(&bytes, 0, sizeof(bytes));
  while (topic_take(f, &bytes, SIZE_MAX) >= 0) continue;
}

/* Compares the messages of a stream, each with its length in front. `from`: where the first one begins. */
static void expect_messages(size_t from, const char *const *texts, size_t count) {
  size_t at = from;
  for (size_t i = 0; i < count; i++) {
    size_t len = strlen(texts[i]);
    assert_true(at + 4 + len <= bytes.len);
    assert_int_equal(bytes.bytes[at] << 24 | bytes.bytes[at + 1] << 16 | bytes.bytes[at + 2] << 8 | bytes.bytes[at + 3],
                     len);
    assert_memory_equal(bytes.bytes + at + 4, texts[i], len);
    at += 4 + len;
  }
  assert_int_equal(at, bytes.len);
}
#define EXPECT_MESSAGES(from, ...)                                     \
  do {                                                                 \
    const char *const texts_[] = {__VA_ARGS__};                        \
    expect_messages(from, texts_, sizeof(texts_) / sizeof(texts_[0])); \
  } while (0)

static wt_stream *standing(wt_session *s) {
  return WT__CONTAINER_OF(wt__list_first(&s->streams), struct wt_stream, link);
}

static void test_subscription_stream_has_name_and_messages_in_order(void **state) {
  (void)state;
  struct topic_fixture f;
  topic_fixture_init(&f);
  wt_session *s = fixture_session(&f.mux, 4);
  struct wt_subscribe_options options = topic_options(&f, WT_DELIVERY_STREAM, WT_SLOW_DROP_OLDEST, 10);
  char big[1000];
  memset(big, 'b', sizeof(big) - 1);
  big[sizeof(big) - 1] = 0;
  assert_int_equal(SUBSCRIBE(s, "news", &options), 0);
  topic_say(&f, "news", "one");
  topic_say(&f, "news", big);
  topic_say(&f, "news", "");
  topic_say(&f, "news", "three");
  take_all(&f);
  assert_int_equal(bytes.id, 3);
  assert_false(bytes.fin);
  EXPECT_MESSAGES(HEADER, "news", "one", big, "", "three");
  assert_int_equal(topic_stats_of(s, "news").delivered, 4);
  topic_say(&f, "news", "last");
  assert_int_equal(UNSUBSCRIBE(s, "news"), 0);
  take_all(&f);
  EXPECT_MESSAGES(0, "last");
  assert_true(bytes.fin);
  assert_int_equal(f.left, 1);
  EXPECT_APP(&f.mux, "");
  topic_fixture_end(&f);
}

/* A peer that takes nothing: little is handed over, the rest waits within the bound, and what it gets then is whole. */
static void test_subscription_stream_keeps_messages_in_reach(void **state) {
  (void)state;
  struct topic_fixture f;
  topic_fixture_init(&f);
  wt_session *oldest = fixture_session(&f.mux, 4);
  struct wt_subscribe_options options = topic_options(&f, WT_DELIVERY_STREAM, WT_SLOW_DROP_OLDEST, 20);
  assert_int_equal(SUBSCRIBE(oldest, "t", &options), 0);
  char text[500];
  memset(text, '.', sizeof(text));
  for (uint32_t i = 0; i < 200; i++) {
    memcpy(text, &i, sizeof(i));
    topic_say_except(&f, "t", text, sizeof(text), NULL);
  }
  struct wt_subscription_stats stats = topic_stats_of(oldest, "t");
  assert_int_equal(stats.waiting_messages, 20);
  assert_true(stats.delivered > 20 && stats.delivered < 40); /* 16 KiB */
  assert_int_equal(stats.delivered + stats.dropped + 20, 200);
  memset(&bytes, 0, sizeof(bytes));
  while (topic_take(&f, &bytes, 1200) >= 0) continue; /* as packets take it: `on_sent` brings what waits */
  size_t at = HEADER + 5, count = 0;
  uint32_t last = 0;
  for (; at < bytes.len; at += 504, count++) {
    uint32_t number;
    memcpy(&number, bytes.bytes + at + 4, sizeof(number));
    assert_true(count == 0 ? number == 0 : number > last);
    last = number;
  }
  assert_int_equal(at, bytes.len);
  assert_int_equal(last, 199);
  stats = topic_stats_of(oldest, "t");
  assert_int_equal(stats.delivered, count);
  assert_int_equal(stats.waiting_messages, 0);
  topic_fixture_end(&f);
}

static void test_subscription_stream_latest_is_the_next_one(void **state) {
  (void)state;
  struct topic_fixture f;
  topic_fixture_init(&f);
  wt_session *s = fixture_session(&f.mux, 4);
  struct wt_subscribe_options options = topic_options(&f, WT_DELIVERY_STREAM, WT_SLOW_LATEST, 10);
  assert_int_equal(SUBSCRIBE(s, "t", &options), 0);
  take_all(&f);
  topic_say(&f, "t", "1");
  for (int i = 0; i < 50; i++) topic_say(&f, "t", "middle");
  topic_say(&f, "t", "last");
  take_all(&f);
  EXPECT_MESSAGES(0, "1", "last");
  assert_int_equal(topic_stats_of(s, "t").dropped, 50);
  topic_fixture_end(&f);
}

/* The queue is full until the peer acknowledges. */
static void test_subscription_stream_waits_for_acknowledgements(void **state) {
  (void)state;
  struct topic_fixture f;
  topic_fixture_init(&f);
  f.mux.config.max_stream_send_buffer = 1000;
  wt_session *s = fixture_session(&f.mux, 4);
  struct wt_subscribe_options options = topic_options(&f, WT_DELIVERY_STREAM, WT_SLOW_DROP_NEWEST, 2);
  char big[900];
  memset(big, 'b', sizeof(big) - 1);
  big[sizeof(big) - 1] = 0;
  assert_int_equal(SUBSCRIBE(s, "t", &options), 0);
  topic_say(&f, "t", big);
  topic_say(&f, "t", big);
  take_all(&f);
  topic_say(&f, "t", "3");
  topic_say(&f, "t", "4");
  topic_say(&f, "t", "5");
  assert_int_equal(topic_stats_of(s, "t").dropped, 1);
  take_all(&f);
  assert_int_equal(bytes.len, 0);
  wt__stream_acked(standing(s), HEADER + 5 + 2 * 903);
  wt__mux_run(&f.mux.mux, 1);
  take_all(&f);
  EXPECT_MESSAGES(0, "3", "4");
  topic_fixture_end(&f);
}

static void test_subscription_stream_ends_by_the_peer(void **state) {
  (void)state;
  struct topic_fixture f;
  topic_fixture_init(&f);
  wt_session *s = fixture_session(&f.mux, 4);
  struct wt_subscribe_options options = topic_options(&f, WT_DELIVERY_STREAM, WT_SLOW_DROP_OLDEST, 10);
  assert_int_equal(SUBSCRIBE(s, "t", &options), 0);
  take_all(&f);
  wt_stream *stream = standing(s);
  wt__stream_recv_stop_sending(stream, 0);
  EXPECT_APP(&f.mux, "end 4 't'; ");
  assert_int_equal(f.left, 1);
  assert_int_equal(SUBSCRIBE(s, "t", &options), 0);
  topic_say(&f, "t", "again");
  take_all(&f);
  EXPECT_MESSAGES(HEADER, "t", "again");
  wt__stream_closed(stream);
  wt__mux_run(&f.mux.mux, 1);
  EXPECT_APP(&f.mux, "");
  topic_fixture_end(&f);
}

/* The peer allows no stream: messages wait, and the application hears of no credit that it did not ask for. */
static void test_subscription_stream_waits_for_credit(void **state) {
  (void)state;
  for (int delivery = WT_DELIVERY_STREAM_EACH; delivery <= WT_DELIVERY_STREAM; delivery++) {
    struct topic_fixture f;
    topic_fixture_init(&f);
    f.mux.streams_left = 0;
    wt_session *s = fixture_session(&f.mux, 4);
    wt_stream *own;
    struct wt_subscribe_options options = topic_options(&f, (enum wt_delivery)delivery, WT_SLOW_DROP_OLDEST, 2);
    assert_int_equal(SUBSCRIBE(s, "t", &options), 0);
    topic_say(&f, "t", "1");
    topic_say(&f, "t", "2");
    topic_say(&f, "t", "3");
    assert_int_equal(topic_stats_of(s, "t").dropped, 1);
    f.mux.streams_left = 1;
    wt__mux_streams_allowed(&f.mux.mux, true);
    wt__mux_run(&f.mux.mux, 1);
    take_all(&f);
    EXPECT_APP(&f.mux, "");
    if (delivery == WT_DELIVERY_STREAM) {
      EXPECT_MESSAGES(HEADER, "t", "2", "3");
    } else {
      assert_int_equal(bytes.len, HEADER + 1);
      assert_int_equal(bytes.bytes[HEADER], '2');
      assert_true(bytes.fin);
      assert_int_equal(wt_session_open_uni(s, &own), WT_ERR_STREAM_LIMIT); /* now the application wants to know */
      f.mux.streams_left = 5;
      wt__mux_streams_allowed(&f.mux.mux, true);
      wt__mux_run(&f.mux.mux, 2);
      EXPECT_APP(&f.mux, "credit 4 1; ");
      take_all(&f);
      assert_int_equal(bytes.bytes[HEADER], '3');
    }
    assert_int_equal(topic_stats_of(s, "t").delivered, 2);
    topic_fixture_end(&f);
  }
}

/* Streams with unsent bytes have a bound; each that was sent lets the next one begin. Those of a subscription that has ended
 * go on. */
static void test_subscription_stream_each_has_a_bound(void **state) {
  (void)state;
  struct topic_fixture f;
  topic_fixture_init(&f);
  wt_session *s = fixture_session(&f.mux, 4);
  struct wt_subscribe_options options = topic_options(&f, WT_DELIVERY_STREAM_EACH, WT_SLOW_DROP_OLDEST, 100);
  assert_int_equal(SUBSCRIBE(s, "t", &options), 0);
  for (int i = 0; i < 50; i++) topic_say(&f, "t", "x");
  assert_int_equal(f.mux.streams_left, 100 - 32);
  assert_int_equal(topic_stats_of(s, "t").waiting_messages, 18);
  take_all(&f);
  assert_int_equal(bytes.len, 32 * (HEADER + 1));
  wt__mux_run(&f.mux.mux, 1);
  take_all(&f);
  assert_int_equal(bytes.len, 18 * (HEADER + 1));
  for (int i = 0; i < 40; i++) topic_say(&f, "t", "y");
  assert_int_equal(UNSUBSCRIBE(s, "t"), 0);
  take_all(&f);
  assert_int_equal(bytes.len, 32 * (HEADER + 1));
  wt__mux_run(&f.mux.mux, 2);
  assert_int_equal(topic_take(&f, &bytes, SIZE_MAX), -1);
  topic_fixture_end(&f);
}

/* A session that ends takes its subscriptions along, whatever they are at. */
static void test_subscription_stream_goes_with_its_session(void **state) {
  (void)state;
  struct topic_fixture f;
  topic_fixture_init(&f);
  wt_session *s = fixture_session(&f.mux, 4);
  char big[2000];
  memset(big, 'b', sizeof(big));
  for (int delivery = 0; delivery <= WT_DELIVERY_STREAM; delivery++) {
    struct wt_subscribe_options options = topic_options(&f, (enum wt_delivery)delivery, WT_SLOW_DROP_OLDEST, 100);
    const char name[2] = {(char)('a' + delivery), 0};
    assert_int_equal(SUBSCRIBE(s, name, &options), 0);
    for (int i = 0; i < 60; i++) topic_say_except(&f, name, big, delivery == 0 ? 100 : sizeof(big), NULL);
  }
  assert_int_equal(wt_session_close(s, 1, NULL, 0), 0);
  assert_int_equal(f.left, 3);
  wt__mux_run(&f.mux.mux, 1);
  EXPECT_APP(&f.mux, "session 4 local 1 ''; ");
  topic_fixture_end(&f);
}

/* Each allocation fails in turn: a message is whole or dropped, and nothing is lost but messages. */
static void test_subscription_stream_without_memory(void **state) {
  (void)state;
  char big[700];
  memset(big, 'b', sizeof(big));
  for (size_t count = 0;; count++) {
    struct topic_fixture f;
    topic_fixture_init(&f);
    wt_session *s = fixture_session(&f.mux, 4);
    int errors = 0, subscribed = 0;
    wt__mem_fail_after(count);
    for (int delivery = 0; delivery <= WT_DELIVERY_STREAM; delivery++) {
      struct wt_subscribe_options options = topic_options(&f, (enum wt_delivery)delivery, WT_SLOW_DROP_OLDEST, 100);
      const char name[2] = {(char)('a' + delivery), 0};
      int error = SUBSCRIBE(s, name, &options);
      assert_true(error == 0 || error == WT_ERR_NOMEM);
      errors += error != 0;
      if (error) continue;
      subscribed++;
      for (int i = 0; i < 40; i++) {
        struct wt__message *message = wt__message_new(1, big, (size_t)(i % 2 ? 700 : 200));
        struct wt__topic *topic = NULL;
        if (!message) {
          errors++;
          continue;
        }
        assert_int_equal(hub_join(&f, (const uint8_t *)name, 1, &topic), 0);
        wt__part_begin(&message->parts[0], f.topics.sum);
        wt__topic_deliver(topic, &message->parts[0]);
        wt__part_unref(&message->parts[0]);
      }
    }
    wt__mux_run(&f.mux.mux, 1);
    wt__mem_fail_after(SIZE_MAX);
    uint64_t dropped = f.topics.counts.dropped;
    topic_send_datagrams(&f);
    f.mux.wire[0] = 0;
    for (int i = 0; i < 4; i++) {
      take_all(&f);
      wt__mux_run(&f.mux.mux, 2);
    }
    topic_fixture_end(&f);
    if (errors == 0 && dropped == 0) break;
    assert_true(errors + (int)dropped == 1);
    (void)subscribed;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_subscription_stream_has_name_and_messages_in_order),
      cmocka_unit_test(test_subscription_stream_keeps_messages_in_reach),
      cmocka_unit_test(test_subscription_stream_latest_is_the_next_one),
      cmocka_unit_test(test_subscription_stream_waits_for_acknowledgements),
      cmocka_unit_test(test_subscription_stream_ends_by_the_peer),
      cmocka_unit_test(test_subscription_stream_waits_for_credit),
      cmocka_unit_test(test_subscription_stream_each_has_a_bound),
      cmocka_unit_test(test_subscription_stream_goes_with_its_session),
      cmocka_unit_test(test_subscription_stream_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
