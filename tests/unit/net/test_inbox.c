/* SPDX-License-Identifier: MIT */

/* Packets handed to another worker (net/inbox.c). */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/inbox.h"

#define THREADS 4
#define PACKETS 2000

static const struct wt__path somewhere = {.remote_len = 7, .local_len = 9};
static const struct wt__origin nowhere = {.from = WT__FROM_PREDECESSOR, .slot = 3, .worker = 258};

struct seen {
  size_t count, last[THREADS];
};

static void in_order(void *ctx, size_t socket, const struct wt__origin *origin, struct wt__path *path, unsigned ecn,
                     const uint8_t *data, size_t len) {
  struct seen *seen = ctx;
  size_t number;
  assert_int_equal(len, sizeof(number));
  memcpy(&number, data, len);
  assert_memory_equal(origin, &nowhere, sizeof(nowhere));
  assert_int_equal(path->remote_len, 7);
  assert_int_equal(path->local_len, 9);
  assert_int_equal(ecn, socket % 4);
  assert_int_equal(number, seen->last[socket] + 1); /* the packets of one thread stay in their order */
  seen->last[socket] = number;
  seen->count++;
}

static void test_inbox_keeps_the_order(void **state) {
  (void)state;
  struct wt__inbox inbox;
  struct seen seen = {0};
  int64_t live = wt__mem_live();
  wt__inbox_init(&inbox);
  for (size_t i = 1; i <= 3; i++) { /* only the first one has to tell the owner */
    assert_int_equal(wt__inbox_put(&inbox, 2, &nowhere, &somewhere, 2, (uint8_t *)&i, sizeof(i)), i == 1);
  }
  wt__inbox_run(&inbox, in_order, &seen);
  assert_int_equal(seen.count, 3);
  size_t next = 4;
  assert_true(wt__inbox_put(&inbox, 2, &nowhere, &somewhere, 2, (uint8_t *)&next, sizeof(next)));
  wt__inbox_free(&inbox); /* with what waits */
  assert_int_equal(seen.count, 3);
  assert_int_equal(wt__mem_live(), live);
}

static void count(void *ctx, size_t socket, const struct wt__origin *origin, struct wt__path *path, unsigned ecn,
                  const uint8_t *data, size_t len) {
  (void)socket;
  (void)origin;
  (void)path;
  (void)ecn;
  (void)data;
  (void)len;
  ++*(size_t *)ctx;
}

static void test_inbox_drops_what_is_too_much(void **state) {
  (void)state;
  static uint8_t packet[60000];
  struct wt__inbox inbox;
  uint64_t taken, dropped;
  size_t put = WT__INBOX_MAX / sizeof(packet) + 10, got = 0;
  wt__inbox_init(&inbox);
  for (size_t i = 0; i < put; i++) wt__inbox_put(&inbox, 0, &nowhere, &somewhere, 0, packet, sizeof(packet));
  wt__mem_fail_after(0); /* one that is dropped costs no memory */
  assert_false(wt__inbox_put(&inbox, 0, &nowhere, &somewhere, 0, packet, sizeof(packet)));
  void *memory = wt__malloc(1);
  wt__mem_fail_after(SIZE_MAX);
  assert_null(memory);
  put++;
  wt__inbox_get_stats(&inbox, &taken, &dropped);
  assert_int_equal(taken + dropped, put);
  assert_true(taken * sizeof(packet) <= WT__INBOX_MAX && (taken + 1) * (sizeof(packet) + 1024) > WT__INBOX_MAX);
  wt__inbox_run(&inbox, count, &got);
  assert_int_equal(got, taken);
  assert_true(wt__inbox_put(&inbox, 0, &nowhere, &somewhere, 0, packet, sizeof(packet))); /* there is room again */

  wt__mem_fail_after(0);
  assert_false(wt__inbox_put(&inbox, 0, &nowhere, &somewhere, 0, packet, 1));
  wt__mem_fail_after(SIZE_MAX);
  uint64_t more;
  wt__inbox_get_stats(&inbox, &taken, &more);
  assert_int_equal(more, dropped + 1);
  wt__inbox_free(&inbox);
}

struct sender {
  struct wt__inbox *inbox;
  size_t number;
};

static void *sender_run(void *argument) {
  struct sender *sender = argument;
  for (size_t i = 1; i <= PACKETS; i++) {
    wt__inbox_put(sender->inbox, sender->number, &nowhere, &somewhere, (unsigned)sender->number % 4, (uint8_t *)&i,
                  sizeof(i));
  }
  return NULL;
}

static void test_inbox_takes_from_many_threads(void **state) {
  (void)state;
  struct wt__inbox inbox;
  struct seen seen = {0};
  struct sender senders[THREADS];
  pthread_t threads[THREADS];
  wt__inbox_init(&inbox);
  for (size_t i = 0; i < THREADS; i++) {
    senders[i] = (struct sender){&inbox, i};
    assert_int_equal(pthread_create(&threads[i], NULL, sender_run, &senders[i]), 0);
  }
  while (seen.count < THREADS * PACKETS / 2) wt__inbox_run(&inbox, in_order, &seen);
  for (size_t i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  wt__inbox_run(&inbox, in_order, &seen);
  assert_int_equal(seen.count, THREADS * PACKETS); /* 2.6 MB at most: all of them fit */
  wt__inbox_free(&inbox);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_inbox_keeps_the_order),
      cmocka_unit_test(test_inbox_drops_what_is_too_much),
      cmocka_unit_test(test_inbox_takes_from_many_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
