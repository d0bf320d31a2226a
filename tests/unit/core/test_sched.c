/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/sched.h"

struct fixture {
  struct wt__sched sched;
  struct wt__sched_session a, b;
  struct wt__sched_entry e[8];
};

static void fixture_init(struct fixture *f) {
  *f = (struct fixture){.sched.turn = 0};
  wt__sched_init(&f->sched);
  wt__sched_session_init(&f->a, WT__URGENCY_DEFAULT);
  wt__sched_session_init(&f->b, WT__URGENCY_DEFAULT);
}

static void fixture_end(struct fixture *f) {
  for (size_t i = 0; i < 8; i++) wt__sched_leave(&f->e[i]);
  assert_null(wt__sched_next(&f->sched));
  assert_int_equal(wt__mem_live(), 0);
}

/* Puts `count` entries from `from` on into a session, with something to send. */
static void add(struct fixture *f, struct wt__sched_session *session, size_t from, size_t count) {
  for (size_t i = from; i < from + count; i++) {
    wt__sched_join(&f->e[i], session);
    wt__sched_add(&f->sched, &f->e[i]);
  }
}

/* The next turns, as indexes, must be those of `want`. */
static void expect_turns(struct fixture *f, const char *want) {
  for (; *want; want++) {
    struct wt__sched_entry *entry = wt__sched_next(&f->sched);
    assert_non_null(entry);
    assert_int_equal('0' + (int)(entry - f->e), *want);
    wt__sched_served(&f->sched, entry);
  }
}

static void move(struct fixture *f, size_t i, uint64_t group, int64_t order) {
  assert_int_equal(wt__sched_move(&f->sched, &f->e[i], group, order), 0);
}

static void test_sched_streams_of_a_session_take_turns(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  assert_null(wt__sched_next(&f.sched));
  add(&f, &f.a, 0, 3);
  expect_turns(&f, "012012");
  wt__sched_remove(&f.e[1]);
  expect_turns(&f, "0202");
  wt__sched_add(&f.sched, &f.e[1]); /* behind the others */
  expect_turns(&f, "021");
  wt__sched_add(&f.sched, &f.e[1]); /* changes nothing */
  expect_turns(&f, "021");
  fixture_end(&f);
}

static void test_sched_sessions_take_turns_whatever_their_streams_number(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  add(&f, &f.a, 0, 3);
  add(&f, &f.b, 3, 1);
  expect_turns(&f, "0313230313");
  wt__sched_remove(&f.e[3]);
  expect_turns(&f, "201");
  fixture_end(&f);
}

static void test_sched_knows_when_one_is_alone(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  assert_false(wt__sched_is_alone(&f.sched)); /* nobody */
  add(&f, &f.a, 0, 1);
  assert_true(wt__sched_is_alone(&f.sched));
  add(&f, &f.a, 1, 1); /* a lower one of the same group waits as well */
  move(&f, 1, 0, -1);
  assert_false(wt__sched_is_alone(&f.sched));
  move(&f, 1, 7, 0); /* another group */
  assert_false(wt__sched_is_alone(&f.sched));
  wt__sched_remove(&f.e[1]);
  assert_true(wt__sched_is_alone(&f.sched));
  add(&f, &f.b, 2, 1); /* another session */
  assert_false(wt__sched_is_alone(&f.sched));
  wt__sched_session_move(&f.sched, &f.b, 5); /* of another urgency */
  assert_false(wt__sched_is_alone(&f.sched));
  wt__sched_remove(&f.e[0]);
  assert_true(wt__sched_is_alone(&f.sched));
  fixture_end(&f);
}

static void test_sched_higher_orders_of_a_group_go_first(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  add(&f, &f.a, 0, 4);
  move(&f, 2, 0, 5);
  move(&f, 3, 0, -1);
  expect_turns(&f, "2222");
  wt__sched_remove(&f.e[2]); /* nothing to send at present */
  expect_turns(&f, "0101");
  wt__sched_remove(&f.e[0]);
  wt__sched_remove(&f.e[1]);
  expect_turns(&f, "33");
  wt__sched_add(&f.sched, &f.e[2]);
  expect_turns(&f, "22");
  move(&f, 2, 0, -1); /* an equal now */
  expect_turns(&f, "3232");
  move(&f, 3, 0, INT64_MIN);
  move(&f, 2, 0, INT64_MAX);
  expect_turns(&f, "222");
  fixture_end(&f);
}

static void test_sched_groups_take_turns_and_order_only_themselves(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  add(&f, &f.a, 0, 4);
  move(&f, 0, 7, 100);
  move(&f, 1, 7, 1);
  move(&f, 2, 8, -5);
  /* 3 stays in group 0 */
  expect_turns(&f, "302302302");
  wt__sched_remove(&f.e[0]);
  expect_turns(&f, "312312");
  move(&f, 2, 7, -5);
  expect_turns(&f, "3131");
  fixture_end(&f);
}

static void test_sched_urgent_sessions_go_first(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  wt__sched_session_init(&f.b, 1);
  add(&f, &f.a, 0, 2);
  add(&f, &f.b, 2, 2);
  expect_turns(&f, "2323");
  wt__sched_remove(&f.e[2]);
  wt__sched_remove(&f.e[3]);
  expect_turns(&f, "0101");
  wt__sched_session_init(&f.b, 99); /* counts as the least urgent */
  assert_int_equal(f.b.urgency, 7);
  f.e[2].group = f.e[3].group = NULL;
  fixture_end(&f);
}

static void test_sched_session_changes_its_urgency_while_it_waits(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  add(&f, &f.a, 0, 1);
  add(&f, &f.b, 2, 1);
  expect_turns(&f, "0202");
  wt__sched_session_move(&f.sched, &f.b, 1);
  expect_turns(&f, "222");
  wt__sched_session_move(&f.sched, &f.b, 99); /* counts as the least urgent */
  assert_int_equal(f.b.urgency, 7);
  expect_turns(&f, "000");
  wt__sched_session_move(&f.sched, &f.a, 7);
  expect_turns(&f, "2020");
  /* One that has nothing to send comes back with its new urgency. */
  wt__sched_remove(&f.e[2]);
  wt__sched_session_move(&f.sched, &f.b, 0);
  expect_turns(&f, "00");
  wt__sched_add(&f.sched, &f.e[2]);
  expect_turns(&f, "22");
  fixture_end(&f);
}

static void test_sched_group_that_cannot_be_made_leaves_the_entry_where_it_was(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  add(&f, &f.a, 0, 2);
  wt__mem_fail_after(0);
  assert_int_not_equal(wt__sched_move(&f.sched, &f.e[0], 9, 4), 0);
  wt__mem_fail_after(SIZE_MAX);
  expect_turns(&f, "0101");
  fixture_end(&f);
}

static void test_sched_entry_may_leave_at_any_time(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  wt__sched_leave(&f.e[5]); /* never joined */
  wt__sched_add(&f.sched, &f.e[5]);
  assert_null(wt__sched_next(&f.sched));
  add(&f, &f.a, 0, 3);
  move(&f, 1, 3, 0);
  wt__sched_leave(&f.e[1]);
  wt__sched_leave(&f.e[1]);
  expect_turns(&f, "0202");
  wt__sched_leave(&f.e[0]);
  wt__sched_add(&f.sched, &f.e[0]); /* it belongs to nobody now */
  wt__sched_leave(&f.e[0]);
  expect_turns(&f, "22");
  fixture_end(&f);
}

/* Against the plainest way to do the same: look at all of them. */
static size_t slowest_next(const struct wt__sched_entry *entries, size_t count) {
  size_t best = count;
  for (size_t i = 0; i < count; i++) {
    if (!entries[i].queued) continue;
    if (best == count || entries[i].order > entries[best].order ||
        (entries[i].order == entries[best].order && entries[i].turn < entries[best].turn)) {
      best = i;
    }
  }
  return best;
}

static void test_sched_agrees_with_a_search_over_random_work(void **state) {
  enum {
    COUNT = 300,
    STEPS = 60000
  };
  struct wt__sched sched;
  struct wt__sched_session session;
  struct wt__sched_entry *entries = calloc(COUNT, sizeof(*entries));
  unsigned random = 12345;
  (void)state;
  assert_non_null(entries);
  wt__sched_init(&sched);
  wt__sched_session_init(&session, 0);
  for (size_t i = 0; i < COUNT; i++) wt__sched_join(&entries[i], &session);
  for (size_t step = 0; step < STEPS; step++) {
    random = random * 1664525 + 1013904223;
    struct wt__sched_entry *entry = &entries[(random >> 8) % COUNT];
    switch ((random >> 24) % 5) {
      case 0:
      case 1: wt__sched_add(&sched, entry); break;
      case 2: wt__sched_remove(entry); break;
      case 3: assert_int_equal(wt__sched_move(&sched, entry, 0, (int64_t)(random % 7) - 3), 0); break;
      default: break;
    }
    size_t want = slowest_next(entries, COUNT);
    struct wt__sched_entry *next = wt__sched_next(&sched);
    assert_ptr_equal(next, want == COUNT ? NULL : &entries[want]);
    if (next && (random >> 28) % 2) wt__sched_served(&sched, next);
  }
  for (size_t i = 0; i < COUNT; i++) wt__sched_leave(&entries[i]);
  assert_null(wt__sched_next(&sched));
  free(entries);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sched_streams_of_a_session_take_turns),
      cmocka_unit_test(test_sched_sessions_take_turns_whatever_their_streams_number),
      cmocka_unit_test(test_sched_knows_when_one_is_alone),
      cmocka_unit_test(test_sched_higher_orders_of_a_group_go_first),
      cmocka_unit_test(test_sched_groups_take_turns_and_order_only_themselves),
      cmocka_unit_test(test_sched_urgent_sessions_go_first),
      cmocka_unit_test(test_sched_session_changes_its_urgency_while_it_waits),
      cmocka_unit_test(test_sched_group_that_cannot_be_made_leaves_the_entry_where_it_was),
      cmocka_unit_test(test_sched_entry_may_leave_at_any_time),
      cmocka_unit_test(test_sched_agrees_with_a_search_over_random_work),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
