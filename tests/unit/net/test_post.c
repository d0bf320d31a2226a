/* SPDX-License-Identifier: MIT */

/* Calls posted from other threads (net/post.c). */

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "net/post.h"

#define THREADS 4
#define CALLS 20000

static int seen[8];
static size_t seen_len;

static int subject; /* what the calls are given */

static void call_made(wt__posts_function function, void *given, void *argument) {
  ((void (*)(int *, void *))function)(given, argument);
}

static int add(struct wt__posts *posts, void (*function)(int *given, void *argument), void *argument) {
  return wt__posts_add(posts, (wt__posts_function)function, argument);
}

static void note(int *given, void *argument) {
  assert_ptr_equal(given, &subject);
  seen[seen_len++] = *(int *)argument;
}

static int numbers[] = {0, 1, 2, 3};

static void test_posts_run_oldest_first(void **state) {
  (void)state;
  struct wt__posts posts;
  wt__posts_init(&posts, call_made, &subject);
  seen_len = 0;
  for (int i = 0; i < 3; i++) assert_int_equal(add(&posts, note, &numbers[i]), 0);
  assert_int_equal(seen_len, 0);
  wt__posts_run(&posts);
  assert_int_equal(seen_len, 3);
  for (int i = 0; i < 3; i++) assert_int_equal(seen[i], i);
  wt__posts_run(&posts);
  assert_int_equal(seen_len, 3);
}

static size_t counted;

/* In order: each is told its number. */
static void count(int *given, void *argument) {
  (void)given;
  assert_int_equal((size_t)(uintptr_t)argument, counted);
  counted++;
}

static void test_posts_run_makes_a_bounded_number_of_calls(void **state) {
  (void)state;
  struct wt__posts posts;
  int64_t live = wt__mem_live();
  wt__posts_init(&posts, call_made, &subject);
  counted = 0;
  for (uintptr_t i = 0; i < 2 * WT__POSTS_A_RUN + 10; i++) assert_int_equal(add(&posts, count, (void *)i), 0);
  assert_true(wt__posts_run(&posts));
  assert_int_equal(counted, WT__POSTS_A_RUN);
  assert_int_equal(add(&posts, count, (void *)(uintptr_t)(2 * WT__POSTS_A_RUN + 10)), 0); /* behind those */
  assert_true(wt__posts_run(&posts));
  assert_true(wt__posts_run(&posts)); /* the last of the chain; the wake of the one behind it has been used up */
  assert_int_equal(counted, 2 * WT__POSTS_A_RUN + 10);
  assert_false(wt__posts_run(&posts));
  assert_int_equal(counted, 2 * WT__POSTS_A_RUN + 11);
  counted = 0;
  for (uintptr_t i = 0; i < 2 * WT__POSTS_A_RUN; i++) assert_int_equal(add(&posts, count, (void *)i), 0);
  assert_true(wt__posts_run(&posts));
  wt__posts_close(&posts); /* all that is left, however much */
  assert_int_equal(counted, 2 * WT__POSTS_A_RUN);
  assert_int_equal(wt__mem_live(), live);
}

static void post_another(int *given, void *argument) {
  (void)given;
  assert_int_equal(add(argument, note, &numbers[3]), 0);
}

static void test_posts_added_by_a_call_wait_for_the_next_run(void **state) {
  (void)state;
  struct wt__posts posts;
  wt__posts_init(&posts, call_made, &subject);
  seen_len = 0;
  assert_int_equal(add(&posts, post_another, &posts), 0);
  wt__posts_run(&posts);
  assert_int_equal(seen_len, 0);
  assert_false(wt__posts_run(&posts));
  assert_int_equal(seen_len, 1);
  assert_int_equal(add(&posts, post_another, &posts), 0);
  wt__posts_flush(&posts);
  assert_int_equal(seen_len, 1);
  wt__posts_flush(&posts);
  assert_int_equal(seen_len, 2);
}

static void test_posts_close_runs_what_waits_and_refuses_the_rest(void **state) {
  (void)state;
  struct wt__posts posts;
  int64_t live = wt__mem_live();
  wt__posts_init(&posts, call_made, &subject);
  seen_len = 0;
  assert_int_equal(add(&posts, note, &numbers[1]), 0);
  wt__posts_close(&posts);
  assert_int_equal(seen_len, 1);
  assert_int_equal(add(&posts, note, &numbers[1]), WT_ERR_STATE);
  assert_int_equal(wt__mem_live(), live);
}

static void test_posts_without_memory(void **state) {
  (void)state;
  struct wt__posts posts;
  wt__posts_init(&posts, call_made, &subject);
  wt__mem_fail_after(0);
  assert_int_equal(add(&posts, note, &numbers[0]), WT_ERR_NOMEM);
  wt__mem_fail_after(SIZE_MAX);
  seen_len = 0;
  wt__posts_run(&posts);
  assert_int_equal(seen_len, 0);
}

/* Many threads add while one empties, which runs only when it is woken, as a loop does; wakes that come before it gets
 * to run are one: every call is made once, and those of a thread in its order. */
struct thread {
  struct wt__posts *posts;
  struct call {
    struct thread *thread;
    int number;
  } calls[CALLS];
  int next;
  bool disorder;
};

static _Atomic int calls_made, threads_left;
static _Atomic bool woken;

static void check_turn(int *given, void *argument) {
  struct call *call = argument;
  (void)given;
  if (call->number != call->thread->next++) call->thread->disorder = true;
  calls_made++;
}

static void *add_all(void *argument) {
  struct thread *thread = argument;
  for (int i = 0; i < CALLS; i++) {
    thread->calls[i] = (struct call){.thread = thread, .number = i};
    if (add(thread->posts, check_turn, &thread->calls[i])) return thread;
    woken = true;
  }
  threads_left--;
  return NULL;
}

static void test_posts_of_many_threads(void **state) {
  (void)state;
  static struct thread threads[THREADS];
  struct wt__posts posts;
  pthread_t ids[THREADS];
  wt__posts_init(&posts, call_made, &subject);
  threads_left = THREADS;
  for (int i = 0; i < THREADS; i++) {
    threads[i].posts = &posts;
    assert_int_equal(pthread_create(&ids[i], NULL, add_all, &threads[i]), 0);
  }
  while (threads_left > 0 || woken) {
    if (!atomic_exchange(&woken, false)) {
      sched_yield();
    } else if (wt__posts_run(&posts)) {
      woken = true;
    }
  }
  assert_int_equal(calls_made, THREADS * CALLS);
  for (int i = 0; i < THREADS; i++) {
    void *failure;
    assert_int_equal(pthread_join(ids[i], &failure), 0);
    assert_null(failure);
    assert_int_equal(threads[i].next, CALLS);
    assert_false(threads[i].disorder);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_posts_run_oldest_first),
      cmocka_unit_test(test_posts_run_makes_a_bounded_number_of_calls),
      cmocka_unit_test(test_posts_added_by_a_call_wait_for_the_next_run),
      cmocka_unit_test(test_posts_close_runs_what_waits_and_refuses_the_rest),
      cmocka_unit_test(test_posts_without_memory),
      cmocka_unit_test(test_posts_of_many_threads),
  };
  return cmocka_run_group_tests_name("post", tests, NULL, NULL);
}
