/* SPDX-License-Identifier: MIT */
/* The thread that waits for signals, and the deadline that a handler sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <semaphore.h>
#include <cmocka.h>

#include "common/signals.h"

enum {
  FOR_EVER_MS = 3600000
};

static struct watch {
  struct signals signals;
  sem_t called;
  int seen[8];
  unsigned count;
} watch;

/* The first signal gives an hour, the second no time at all, a third an hour again. */
static void on_signal(int signal, void *user_data) {
  (void)user_data;
  watch.seen[watch.count++] = signal;
  if (signal) signals_deadline(&watch.signals, watch.count == 2 ? 0 : FOR_EVER_MS);
  sem_post(&watch.called);
}

static void test_the_earliest_deadline_counts_and_is_told_once(void **state) {
  (void)state;
  assert_int_equal(sem_init(&watch.called, 0, 0), 0);
  signals_block(&watch.signals, false);
  assert_true(signals_start(&watch.signals, on_signal, NULL));
  assert_int_equal(pthread_kill(watch.signals.thread, SIGINT), 0);
  sem_wait(&watch.called);
  assert_int_equal(pthread_kill(watch.signals.thread, SIGHUP), 0);
  sem_wait(&watch.called);
  sem_wait(&watch.called); /* the deadline, without a signal */
  assert_int_equal(watch.seen[0], SIGINT);
  assert_int_equal(watch.seen[1], SIGHUP);
  assert_int_equal(watch.seen[2], 0);
  assert_int_equal(pthread_kill(watch.signals.thread, SIGINT), 0);
  sem_wait(&watch.called);
  assert_int_equal(watch.seen[3], SIGINT);
  signals_stop(&watch.signals);
  assert_int_equal(watch.count, 4);
  sem_destroy(&watch.called);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_earliest_deadline_counts_and_is_told_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
