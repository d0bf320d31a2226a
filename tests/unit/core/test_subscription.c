/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "topic_fixture.h"

#define SUBSCRIBE(s, name, options) wt_session_subscribe(s, name, strlen(name), options)
#define UNSUBSCRIBE(s, name) wt_session_unsubscribe(s, name, strlen(name))

static void test_subscription_checks_what_it_is_given(void **state) {
  (void)state;
  struct topic_fixture f;
  char longest[256] = {0};
  topic_fixture_init(&f);
  wt_session *s = fixture_session(&f.mux, 0);
  struct wt_subscribe_options options = topic_options(&f, WT_DELIVERY_DATAGRAM, WT_SLOW_DROP_OLDEST, 3);
  assert_int_equal(wt_session_subscribe(s, "x", 0, NULL), WT_ERR_INVALID);
  assert_int_equal(wt_session_subscribe(s, longest, 256, NULL), WT_ERR_INVALID);
  assert_int_equal(wt_session_subscribe(s, longest, 255, NULL), 0);
  options.max_messages = 0;
  assert_int_equal(SUBSCRIBE(s, "a", &options), WT_ERR_INVALID);
  options.max_messages = 65537;
  assert_int_equal(SUBSCRIBE(s, "a", &options), WT_ERR_INVALID);
  options.max_messages = 65536;
  options.max_bytes = 0;
  assert_int_equal(SUBSCRIBE(s, "a", &options), WT_ERR_INVALID);
  options.max_bytes = 1;
  options.delivery = WT_DELIVERY_CALLBACK; /* without a callback */
  assert_int_equal(SUBSCRIBE(s, "a", &options), WT_ERR_INVALID);
  options.delivery = (enum wt_delivery)4;
  assert_int_equal(SUBSCRIBE(s, "a", &options), WT_ERR_INVALID);
  options.delivery = WT_DELIVERY_STREAM;
  options.policy = (enum wt_slow_policy)4;
  assert_int_equal(SUBSCRIBE(s, "a", &options), WT_ERR_INVALID);
  options.policy = WT_SLOW_CLOSE;
  options.size = 1;
  assert_int_equal(SUBSCRIBE(s, "a", &options), WT_ERR_INVALID);
  options.size = sizeof(options);
  assert_int_equal(SUBSCRIBE(s, "a", &options), 0);
  assert_int_equal(SUBSCRIBE(s, "a", &options), WT_ERR_STATE);
  assert_int_equal(SUBSCRIBE(s, "ab", NULL), 0);
  assert_int_equal(SUBSCRIBE(s, "b", NULL), 0);
  assert_int_equal(SUBSCRIBE(s, "c", NULL), WT_ERR_AGAIN); /* max_subscriptions is 4 */
  assert_int_equal(UNSUBSCRIBE(s, "b"), 0);
  assert_int_equal(UNSUBSCRIBE(s, "b"), WT_ERR_NOT_FOUND);
  f.mux.max_datagram = 0;
  assert_int_equal(SUBSCRIBE(s, "c", NULL), WT_ERR_UNSUPPORTED);
  assert_int_equal(wt_session_close(s, 0, NULL, 0), 0);
  assert_int_equal(SUBSCRIBE(s, "c", NULL), WT_ERR_CLOSED);
  assert_int_equal(f.left, 4);
  assert_int_equal(f.topics.counts.subscribers, 0);
  f.mux.config.topics = NULL;
  assert_int_equal(SUBSCRIBE(s, "c", NULL), WT_ERR_UNSUPPORTED);
  topic_fixture_end(&f);
}

/* --- Datagrams --- */

static void test_subscription_sends_datagrams_to_all_but_one(void **state) {
  (void)state;
  struct topic_fixture f;
  topic_fixture_init(&f);
  wt_session *a = fixture_session(&f.mux, 4), *b = fixture_session(&f.mux, 8), *c = fixture_session(&f.mux, 12);
  assert_int_equal(SUBSCRIBE(a, "t", NULL), 0);
  assert_int_equal(SUBSCRIBE(b, "t", NULL), 0);
  assert_int_equal(SUBSCRIBE(c, "other", NULL), 0);
  topic_say(&f, "t", "one");
  topic_say_except(&f, "t", "two", 3, b);
  topic_say(&f, "t", "");
  assert_int_equal(topic_stats_of(a, "t").waiting_messages, 3);
  assert_int_equal(topic_stats_of(a, "t").waiting_bytes, 6);
  topic_send_datagrams(&f);
  EXPECT_WIRE(&f.mux, "4:one 8:one 4:two 8: 4: ");
  assert_int_equal(topic_stats_of(a, "t").delivered, 3);
  assert_int_equal(topic_stats_of(b, "t").delivered, 2);
  assert_int_equal(topic_stats_of(a, "t").waiting_messages, 0);
  assert_int_equal(f.topics.counts.delivered, 5);
  assert_int_equal(f.topics.counts.subscribers, 3);
  f.mux.max_datagram = 10;
  topic_say(&f, "t", "0123456789");
  assert_int_equal(topic_stats_of(a, "t").too_large, 1);
  assert_int_equal(f.topics.counts.too_large, 2);
  topic_fixture_end(&f);
}

static void test_subscription_drops_datagrams_by_its_policy(void **state) {
  (void)state;
  struct topic_fixture f;
  topic_fixture_init(&f);
  wt_session *oldest = fixture_session(&f.mux, 4), *newest = fixture_session(&f.mux, 8);
  wt_session *latest = fixture_session(&f.mux, 12), *closed = fixture_session(&f.mux, 16);
  struct wt_subscribe_options options = topic_options(&f, WT_DELIVERY_DATAGRAM, WT_SLOW_DROP_OLDEST, 2);
  assert_int_equal(SUBSCRIBE(oldest, "t", &options), 0);
  options.policy = WT_SLOW_DROP_NEWEST;
  assert_int_equal(SUBSCRIBE(newest, "t", &options), 0);
  options.policy = WT_SLOW_LATEST;
  assert_int_equal(SUBSCRIBE(latest, "t", &options), 0);
  options.policy = WT_SLOW_CLOSE;
  assert_int_equal(SUBSCRIBE(closed, "t", &options), 0);
  assert_int_equal(wt_session_send_datagram(oldest, "own", 3), 0); /* not the topic's: stays */
  topic_say(&f, "t", "1");
  topic_say(&f, "t", "2");
  wt__mux_run(&f.mux.mux, 1); /* their age begins: those that follow are fresh */
  topic_say(&f, "t", "3");
  topic_say(&f, "t", "4");
  assert_int_equal(topic_stats_of(oldest, "t").dropped, 2);
  assert_int_equal(topic_stats_of(newest, "t").dropped, 2);
  assert_int_equal(topic_stats_of(latest, "t").dropped, 3);
  assert_int_equal(f.topics.counts.closed, 1);
  assert_int_equal(f.topics.counts.dropped, 8);
  topic_send_datagrams(&f);
  EXPECT_WIRE(&f.mux, "4:own 8:1 12:4 4:3 8:2 4:4 ");
  wt__mux_run(&f.mux.mux, 2);
  EXPECT_APP(&f.mux, "session 16 local 7 'too slow for its subscription'; ");
  wt__mux_run(&f.mux.mux, 3);
  topic_fixture_end(&f);
}

static void test_subscription_counts_datagrams_that_the_queue_drops(void **state) {
  (void)state;
  struct topic_fixture f;
  topic_fixture_init(&f);
  f.mux.config.max_datagrams_queued = 2;
  wt_session *s = fixture_session(&f.mux, 4);
  assert_int_equal(SUBSCRIBE(s, "t", NULL), 0);
  for (int i = 0; i < 5; i++) topic_say(&f, "t", "x");
  assert_int_equal(topic_stats_of(s, "t").dropped, 3);
  assert_int_equal(topic_stats_of(s, "t").waiting_messages, 2);
  assert_int_equal(UNSUBSCRIBE(s, "t"), 0); /* what is queued is sent */
  assert_int_equal(f.left, 1);
  topic_send_datagrams(&f);
  EXPECT_WIRE(&f.mux, "4:x 4:x ");
  topic_fixture_end(&f);
}

static void test_subscription_bounds_bytes(void **state) {
  (void)state;
  struct topic_fixture f;
  topic_fixture_init(&f);
  wt_session *s = fixture_session(&f.mux, 4);
  struct wt_subscribe_options options = topic_options(&f, WT_DELIVERY_DATAGRAM, WT_SLOW_DROP_OLDEST, 100);
  options.max_bytes = 10;
  assert_int_equal(SUBSCRIBE(s, "t", &options), 0);
  topic_say(&f, "t", "a thing that is too long may wait alone");
  topic_say(&f, "t", "1234");
  topic_say(&f, "t", "5678");
  assert_int_equal(topic_stats_of(s, "t").waiting_bytes, 8);
  topic_say(&f, "t", "90");
  assert_int_equal(topic_stats_of(s, "t").waiting_bytes, 10);
  topic_say(&f, "t", "x");
  assert_int_equal(topic_stats_of(s, "t").waiting_bytes, 7);
  topic_send_datagrams(&f);
  EXPECT_WIRE(&f.mux, "4:5678 4:90 4:x ");
  /* Short memory makes the bound lower. */
  options.max_bytes = 1024 * 1024;
  assert_int_equal(UNSUBSCRIBE(s, "t"), 0);
  assert_int_equal(SUBSCRIBE(s, "t", &options), 0);
  char big[1000];
  memset(big, 'b', sizeof(big));
  for (int i = 0; i < 80; i++) topic_say_except(&f, "t", big, sizeof(big), NULL);
  assert_int_equal(topic_stats_of(s, "t").waiting_messages, 80);
  f.mux.gauge_sum.pressure = WT__PRESSURE_HIGH;
  topic_say_except(&f, "t", big, sizeof(big), NULL);
  assert_int_equal(topic_stats_of(s, "t").waiting_messages, 65);
  f.mux.gauge_sum.pressure = WT__PRESSURE_FULL;
  topic_say_except(&f, "t", big, sizeof(big), NULL);
  assert_int_equal(topic_stats_of(s, "t").waiting_messages, 16);
  f.mux.gauge_sum.pressure = WT__PRESSURE_NONE;
  topic_fixture_end(&f);
}

/* The payload is there once: a hundred receivers cost a record each. */
static void test_subscription_shares_the_payload(void **state) {
  (void)state;
  struct topic_fixture f;
  topic_fixture_init(&f);
  wt_session *sessions[100];
  char big[1000];
  memset(big, 'b', sizeof(big));
  for (int64_t i = 0; i < 100; i++) {
    sessions[i] = fixture_session(&f.mux, 4 * i);
    struct wt_subscribe_options options = topic_options(&f, (enum wt_delivery)(i % 3), WT_SLOW_DROP_OLDEST, 10);
    assert_int_equal(SUBSCRIBE(sessions[i], "t", &options), 0);
  }
  f.mux.streams_left = 0;
  size_t before = f.mux.gauge_sum.bytes;
  topic_say_except(&f, "t", big, sizeof(big), NULL);
  assert_true(f.mux.gauge_sum.bytes > before + sizeof(big));
  assert_true(f.mux.gauge_sum.bytes < before + 2 * sizeof(big) + 100 * 200);
  topic_fixture_end(&f);
}

/* --- Callbacks --- */

/* What a callback does with the sessions that are subscribed, once. */
struct listener {
  struct topic_fixture f;
  wt_session *sessions[4];
  void (*act)(struct listener *listener, wt_session *session);
};

static void on_message(wt_session *session, const void *topic, size_t topic_len, const uint8_t *data, size_t len,
                       void *user_data) {
  struct listener *l = user_data;
  void (*act)(struct listener *, wt_session *) = l->act;
  APP(&l->f.mux, "%d %.*s '%.*s'; ", (int)wt_session_id(session), (int)topic_len, (const char *)topic, (int)len,
      (const char *)data);
  l->act = NULL;
  if (act) act(l, session);
}

static void listen_on(struct listener *l, wt_session *session) {
  struct wt_subscribe_options options = topic_options(&l->f, WT_DELIVERY_CALLBACK, WT_SLOW_CLOSE, 1);
  options.on_message = on_message;
  options.user_data = l;
  assert_int_equal(SUBSCRIBE(session, "t", &options), 0);
}

/* Three sessions listen, and a fourth one does not. */
static void listener_init(struct listener *l) {
  *l = (struct listener){0};
  topic_fixture_init(&l->f);
  for (int i = 0; i < 4; i++) l->sessions[i] = fixture_session(&l->f.mux, (uint64_t)i * 4);
  for (int i = 0; i < 3; i++) listen_on(l, l->sessions[i]);
}

static void act_leave(struct listener *l, wt_session *session) {
  (void)l;
  assert_int_equal(UNSUBSCRIBE(session, "t"), 0);
}

static void act_dismiss_next(struct listener *l, wt_session *session) {
  (void)session;
  assert_int_equal(UNSUBSCRIBE(l->sessions[1], "t"), 0);
}

static void act_close_all(struct listener *l, wt_session *session) {
  (void)session;
  for (int i = 0; i < 3; i++) assert_int_equal(wt_session_close(l->sessions[i], 0, NULL, 0), 0);
}

static void act_come_again(struct listener *l, wt_session *session) {
  act_leave(l, session);
  listen_on(l, session);
  listen_on(l, l->sessions[3]);
}

static void test_subscription_calls_back(void **state) {
  (void)state;
  struct listener l;
  listener_init(&l);
  topic_say(&l.f, "t", "one");
  topic_say_except(&l.f, "t", "", 0, l.sessions[1]);
  EXPECT_APP(&l.f.mux, "0 t 'one'; 4 t 'one'; 8 t 'one'; 0 t ''; 8 t ''; ");
  assert_int_equal(topic_stats_of(l.sessions[0], "t").delivered, 2);
  assert_int_equal(topic_stats_of(l.sessions[0], "t").waiting_messages, 0);
  assert_int_equal(l.f.topics.counts.delivered, 5);
  topic_fixture_end(&l.f);
}

/* A callback may end subscriptions, its own, the next one or all, and begin some: they get the next message. */
static void test_subscription_ends_in_its_callback(void **state) {
  static const struct {
    void (*act)(struct listener *l, wt_session *session);
    const char *expected;
  } cases[] = {
      {act_leave, "0 t 'a'; 4 t 'a'; 8 t 'a'; 4 t 'b'; 8 t 'b'; "},
      {act_dismiss_next, "0 t 'a'; 8 t 'a'; 0 t 'b'; 8 t 'b'; "},
      {act_close_all, "0 t 'a'; "},
      {act_come_again, "0 t 'a'; 4 t 'a'; 8 t 'a'; 4 t 'b'; 8 t 'b'; 0 t 'b'; 12 t 'b'; "},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct listener l;
    listener_init(&l);
    l.act = cases[i].act;
    topic_say(&l.f, "t", "a");
    topic_say(&l.f, "t", "b");
    EXPECT_APP(&l.f.mux, cases[i].expected);
    topic_fixture_end(&l.f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_subscription_checks_what_it_is_given),
      cmocka_unit_test(test_subscription_sends_datagrams_to_all_but_one),
      cmocka_unit_test(test_subscription_drops_datagrams_by_its_policy),
      cmocka_unit_test(test_subscription_counts_datagrams_that_the_queue_drops),
      cmocka_unit_test(test_subscription_bounds_bytes),
      cmocka_unit_test(test_subscription_shares_the_payload),
      cmocka_unit_test(test_subscription_calls_back),
      cmocka_unit_test(test_subscription_ends_in_its_callback),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
