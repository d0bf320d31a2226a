/* SPDX-License-Identifier: MIT */

/* src/core/progress.c: what moves enough in its time, and what does not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/progress.h"

#define MS UINT64_C(1000000)
#define TIMEOUT 4000 /* looked at each second */

struct thing {
  struct wt__progress progress;
  struct wt__progress_state state;
  unsigned looks, ends;
};

static struct thing *thing_of(const struct wt__progress *progress) {
  return WT__CONTAINER_OF(progress, struct thing, progress);
}

static struct wt__progress_state look(const struct wt__progress *progress) {
  struct thing *thing = thing_of(progress);
  thing->looks++;
  return thing->state;
}

static void give_up(struct wt__progress *progress) { thing_of(progress)->ends++; }

static const struct wt__progress_kind kind = {look, give_up};

static void begin(struct wt__progress_list *list, struct thing *thing, uint64_t left) {
  memset(thing, 0, sizeof(*thing));
  wt__progress_init(&thing->progress);
  thing->state = (struct wt__progress_state){.waits = true, .left = left};
  assert_true(wt__progress_watch(list, &thing->progress));
  assert_false(wt__progress_watch(list, &thing->progress));
}

static void run(struct wt__progress_list *list, uint64_t ms) { wt__progress_run(list, &kind, ms * MS); }

static void test_progress_none_ends_after_exactly_its_time(void **state) {
  struct wt__progress_list list;
  struct thing thing;
  (void)state;
  wt__progress_list_init(&list, TIMEOUT, 100);
  assert_true(wt__progress_expiry(&list) == UINT64_MAX);
  begin(&list, &thing, 1000);
  assert_int_equal(wt__progress_expiry(&list), 0); /* its time begins in the next pass */
  run(&list, 10000);
  for (uint64_t ms = 11000; ms < 14000; ms += 1000) {
    assert_int_equal(wt__progress_expiry(&list), ms * MS);
    run(&list, ms - 1);
    run(&list, ms);
    assert_int_equal(thing.ends, 0);
  }
  run(&list, 14000);
  assert_int_equal(thing.ends, 1);
  assert_int_equal(thing.looks, 5);
  assert_int_equal(list.count, 0);
  assert_true(wt__progress_expiry(&list) == UINT64_MAX);
}

static void test_progress_of_the_least_goes_on(void **state) {
  struct wt__progress_list list;
  struct thing much, little, last;
  (void)state;
  wt__progress_list_init(&list, TIMEOUT, 100);
  begin(&list, &much, 1000000);
  begin(&list, &little, 1000000);
  begin(&list, &last, 50); /* less is left than the least */
  run(&list, 0);
  for (uint64_t ms = 1000; ms <= 60000; ms += 1000) {
    much.state.done += 25;
    little.state.done += 24;
    if (ms == 3000) last.state.done = 50, last.state.left = 20;
    run(&list, ms);
    if (ms == 4000) assert_int_equal(little.ends, 1);
    if (ms == 6000) assert_int_equal(last.ends, 0);
    if (ms == 7000) assert_int_equal(last.ends, 1);
  }
  assert_int_equal(much.ends, 0);
  wt__progress_forget(&list, &much.progress);
  assert_int_equal(list.count, 0);
}

static void test_progress_is_not_looked_at_when_nothing_waits(void **state) {
  struct wt__progress_list list;
  struct thing thing;
  (void)state;
  wt__progress_list_init(&list, TIMEOUT, 100);
  begin(&list, &thing, 10);
  thing.state.waits = false;
  run(&list, 0);
  assert_int_equal(thing.looks, 1);
  assert_true(wt__progress_expiry(&list) == UINT64_MAX);
  thing.state.waits = true;
  assert_true(wt__progress_watch(&list, &thing.progress));
  run(&list, 5000);
  thing.state.waits = false;
  run(&list, 100000);
  assert_int_equal(thing.ends, 0);
  assert_int_equal(list.count, 0);
  assert_true(wt__progress_watch(&list, &thing.progress)); /* and forgotten before it is looked at */
  wt__progress_forget(&list, &thing.progress);
  wt__progress_forget(&list, &thing.progress);
  assert_int_equal(list.count, 0);
}

/* Others come first; they move enough for both, or do not. */
static void test_progress_of_others_excuses_who_waits_for_a_turn(void **state) {
  (void)state;
  for (int enough = 0; enough < 2; enough++) {
    struct wt__progress_list list;
    struct thing first, second, shut;
    wt__progress_list_init(&list, TIMEOUT, 100);
    begin(&list, &first, 1000000);
    begin(&list, &second, 1000000);
    begin(&list, &shut, 1000000);
    second.state.turn = true;
    run(&list, 0);
    for (uint64_t ms = 1000; ms <= 20000; ms += 1000) {
      uint64_t moved = enough ? 75 : 40;
      first.state.done += moved;
      first.state.total += moved;
      second.state.total = shut.state.total = first.state.total;
      run(&list, ms);
    }
    assert_int_equal(first.ends, 0);
    assert_int_equal(second.ends, enough ? 0 : 1);
    assert_int_equal(shut.ends, 1); /* whatever the others do */
    wt__progress_forget(&list, &first.progress);
    wt__progress_forget(&list, &second.progress);
  }
}

static void test_progress_without_a_timeout_watches_nothing(void **state) {
  struct wt__progress_list list;
  struct thing thing = {0};
  (void)state;
  wt__progress_list_init(&list, 0, 100);
  wt__progress_init(&thing.progress);
  assert_false(wt__progress_watch(&list, &thing.progress));
  assert_true(wt__progress_expiry(&list) == UINT64_MAX);
}

static void test_progress_counts_all_and_logs_few(void **state) {
  struct wt__progress_counts counts;
  unsigned lines = 0;
  (void)state;
  wt__progress_counts_init(&counts);
  for (int i = 0; i < 1000; i++) lines += wt__log_limit_take(wt__progress_count(&counts), 1000 * MS);
  assert_int_equal(counts.given_up, 1000);
  assert_in_range(lines, 1, 10);
  assert_null(wt__progress_count(NULL));
}

/* A last byte is enough, where there are no more; who does not know takes a handful. */
static void test_progress_of_the_last_bytes(void **state) {
  static const struct {
    uint64_t left, done;
    unsigned ends;
  } cases[] = {{1, 1, 0}, {1, 0, 1}, {2, 1, 1}, {0, 64, 0}, {0, 63, 1}, {99, 99, 0}, {99, 98, 1}, {101, 100, 0}};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wt__progress_list list;
    struct thing thing;
    wt__progress_list_init(&list, TIMEOUT, 100);
    begin(&list, &thing, cases[i].left);
    run(&list, 10000);
    thing.state.done = cases[i].done;
    for (uint64_t ms = 11000; ms <= 14000; ms += 1000) run(&list, ms);
    assert_int_equal(thing.ends, cases[i].ends);
    wt__progress_forget(&list, &thing.progress);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_progress_none_ends_after_exactly_its_time),
      cmocka_unit_test(test_progress_of_the_least_goes_on),
      cmocka_unit_test(test_progress_is_not_looked_at_when_nothing_waits),
      cmocka_unit_test(test_progress_of_others_excuses_who_waits_for_a_turn),
      cmocka_unit_test(test_progress_without_a_timeout_watches_nothing),
      cmocka_unit_test(test_progress_counts_all_and_logs_few),
      cmocka_unit_test(test_progress_of_the_last_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
