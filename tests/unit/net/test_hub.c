/* SPDX-License-Identifier: MIT */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/hub.h"

/* A worker without sessions: its topics are joined and left as core does it, and nobody receives. */

#define NAME(text) (const uint8_t *)(text), strlen(text)

static unsigned wakes[2];
static void on_wake(void *ctx, unsigned worker) {
  (void)ctx;
  wakes[worker]++;
}

static void hub_new(struct wt__hub *hub) {
  memset(wakes, 0, sizeof(wakes));
  assert_int_equal(wt__hub_init(hub, 2), 0);
  hub->wake = on_wake;
}

static void hub_end(struct wt__hub *hub) {
  wt__hub_free(hub);
  assert_int_equal(wt__mem_live(), 0);
}

static struct wt__topic *join(struct wt__hub *hub, unsigned worker, const char *name) {
  struct wt__topics *topics = &hub->workers[worker].topics;
  struct wt__topic *topic;
  assert_int_equal(topics->join(topics->ctx, NAME(name), &topic), 0);
  return topic;
}

static void leave(struct wt__topic *topic) { topic->topics->leave(topic->topics->ctx, topic); }

static int publish(struct wt__hub *hub, const char *name, const char *text) {
  return wt__hub_publish(hub, NAME(name), text, strlen(text), NULL);
}

static void test_hub_wakes_those_who_have_subscribers(void **state) {
  (void)state;
  struct wt__hub hub;
  hub_new(&hub);
  assert_int_equal(publish(&hub, "a", "nobody"), 0);
  struct wt__topic *one = join(&hub, 1, "a");
  assert_ptr_equal(join(&hub, 1, "a"), one);
  assert_int_equal(publish(&hub, "a", "x"), 0);
  assert_int_equal(publish(&hub, "a", "y"), 0); /* a second one before the worker has come wakes nobody */
  assert_int_equal(publish(&hub, "b", "z"), 0);
  assert_true(wakes[0] == 0 && wakes[1] == 1);
  struct wt__topic *zero = join(&hub, 0, "a");
  assert_ptr_not_equal(zero, one);
  assert_int_equal(publish(&hub, "a", "z"), 0);
  assert_true(wakes[0] == 1 && wakes[1] == 1);
  assert_true(atomic_load(&hub.workers[1].backlog) > 0);
  leave(one); /* before it came to deliver: the messages are dropped */
  assert_false(wt__hub_run(&hub.workers[1]));
  assert_int_equal(atomic_load(&hub.workers[1].backlog), 0);
  assert_int_equal(publish(&hub, "a", "w"), 0);
  assert_int_equal(wakes[1], 1);
  leave(zero);
  assert_int_equal(hub.len, 0);
  assert_int_equal(atomic_load(&hub.published), 4);
  hub_end(&hub); /* what still waits for worker 0 is freed */
}

static void test_hub_has_bounds(void **state) {
  (void)state;
  struct wt__hub hub;
  struct wt_topic_limits limits;
  struct wt__topic *topic;
  wt_topic_limits_default(&limits);
  limits.max_topics = 2;
  limits.max_message = 5;
  limits.max_backlog = 1000;
  hub_new(&hub);
  wt__hub_set_limits(&hub, &limits);
  assert_int_equal(hub.workers[1].topics.max_subscriptions, 64);
  struct wt__topic *a = join(&hub, 0, "a"), *b = join(&hub, 0, "b");
  assert_int_equal(hub.workers[0].topics.join(hub.workers[0].topics.ctx, NAME("c"), &topic), WT_ERR_AGAIN);
  struct wt__topic *other = join(&hub, 1, "b"); /* no topic more */
  assert_int_equal(publish(&hub, "a", "123456"), WT_ERR_TOO_LARGE);
  int count = 0, error;
  while ((error = publish(&hub, "a", "12345")) == 0) count++;
  assert_int_equal(error, WT_ERR_AGAIN);
  assert_in_range(count, 3, 10);
  assert_int_equal(publish(&hub, "b", "x"), WT_ERR_AGAIN); /* all or none get it */
  assert_int_equal(atomic_load(&hub.workers[1].backlog), 0);
  assert_false(wt__hub_run(&hub.workers[0]));
  assert_int_equal(publish(&hub, "b", "x"), 0);
  leave(a);
  leave(b);
  leave(other);
  hub_end(&hub);
}

static void test_hub_finds_each_of_many_topics(void **state) {
  (void)state;
  struct wt__hub hub;
  static struct wt__topic *topics[1000];
  char name[32];
  hub_new(&hub);
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof(name), "topic %d", i);
    topics[i] = join(&hub, (unsigned)i % 2, name);
  }
  assert_int_equal(hub.len, 1000);
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof(name), "topic %d", i);
    assert_ptr_equal(join(&hub, (unsigned)i % 2, name), topics[i]);
    assert_memory_equal(topics[i]->name, name, topics[i]->name_len);
  }
  for (int i = 0; i < 1000; i++) leave(topics[i]);
  assert_int_equal(hub.len, 0);
  assert_in_range(hub.cap, 1, 16); /* it shrinks again */
  hub_end(&hub);
}

static void test_hub_without_memory(void **state) {
  (void)state;
  for (size_t count = 0;; count++) {
    struct wt__hub hub;
    struct wt__topic *topic = NULL;
    wt__mem_fail_after(count);
    int error = wt__hub_init(&hub, 2);
    if (error == 0) {
      struct wt__topics *topics = &hub.workers[0].topics;
      error = topics->join(topics->ctx, NAME("a"), &topic);
      if (error == 0) {
        error = publish(&hub, "a", "x");
        leave(topic);
      }
      assert_int_equal(hub.len, 0);
      wt__hub_free(&hub);
    }
    wt__mem_fail_after(SIZE_MAX);
    assert_int_equal(wt__mem_live(), 0);
    if (error == 0) break;
    assert_int_equal(error, WT_ERR_NOMEM);
  }
}

/* Threads publish while a worker's topics come and go. */
static void *publisher(void *argument) {
  for (int i = 0; i < 5000; i++) {
    char name[2] = {(char)('a' + i % 3), 0};
    while (publish(argument, name, "some text") == WT_ERR_AGAIN) continue;
  }
  return NULL;
}

static void *subscriber(void *argument) {
  struct wt__hub_worker *worker = argument;
  for (int i = 0; i < 2000; i++) {
    char name[2] = {(char)('a' + i % 3), 0};
    struct wt__topic *topic;
    if (worker->topics.join(worker->topics.ctx, NAME(name), &topic)) continue;
    wt__hub_run(worker);
    leave(topic);
  }
  while (wt__hub_run(worker)) continue;
  return NULL;
}

static void test_hub_of_many_threads(void **state) {
  (void)state;
  struct wt__hub hub;
  pthread_t threads[4];
  assert_int_equal(wt__hub_init(&hub, 2), 0);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, subscriber, &hub.workers[i]), 0);
    assert_int_equal(pthread_create(&threads[2 + i], NULL, publisher, &hub), 0);
  }
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  hub_end(&hub);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hub_wakes_those_who_have_subscribers),
      cmocka_unit_test(test_hub_has_bounds),
      cmocka_unit_test(test_hub_finds_each_of_many_topics),
      cmocka_unit_test(test_hub_without_memory),
      cmocka_unit_test(test_hub_of_many_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
