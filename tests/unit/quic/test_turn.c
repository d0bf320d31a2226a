/* SPDX-License-Identifier: MIT */

/* src/quic/turn.c: whose time it is, when packets have to wait, in which order they are served, and what is dropped. */

#include "quic/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define PACKET 1200

static uint64_t now;
static unsigned readings;

static uint64_t test_clock(void *ctx) {
  (void)ctx;
  readings++;
  return now;
}

struct fixture {
  struct wt__turn turn;
  struct wt__gauge_sum sum;
  struct wt__gauge gauge;
  struct wt__lane a, b, c;
  int64_t live_before;
};

static void fixture_init(struct fixture *f) {
  memset(f, 0, sizeof(*f));
  now = 1000 * MS;
  readings = 0;
  f->live_before = wt__mem_live();
  f->gauge.sum = &f->sum;
  wt__turn_init(&f->turn, test_clock, NULL, NULL);
  wt__lane_init(&f->a, &f->gauge);
  wt__lane_init(&f->b, &f->gauge);
  wt__lane_init(&f->c, &f->gauge);
}

static void fixture_free(struct fixture *f) {
  wt__lane_clear(&f->turn, &f->a);
  wt__lane_clear(&f->turn, &f->b);
  wt__lane_clear(&f->turn, &f->c);
  assert_false(wt__turn_has_late(&f->turn));
  wt__turn_free(&f->turn);
  assert_int_equal(f->sum.bytes, 0);
  assert_int_equal(wt__mem_live(), f->live_before);
}

static bool put_off(struct fixture *f, struct wt__lane *lane, uint8_t mark) {
  static struct wt__path path;
  uint8_t data[PACKET];
  memset(data, mark, sizeof(data));
  path.remote_len = mark;
  return wt__turn_put_off(&f->turn, lane, SIZE_MAX, &path, 1, data, sizeof(data));
}

/* Takes the next packet, which is to be `lane`'s and to have `mark`, and takes `time` for it. */
static void check_next(struct fixture *f, const struct wt__lane *lane, uint8_t mark, uint64_t time) {
  struct wt__lane *of;
  struct wt__put_off *packet = wt__turn_take_late(&f->turn, &of);
  assert_non_null(packet);
  assert_ptr_equal(of, lane);
  assert_int_equal(packet->len, PACKET);
  assert_int_equal(packet->ecn, 1);
  assert_int_equal(packet->path.remote_len, mark);
  assert_int_equal(packet->data[0], mark);
  assert_int_equal(packet->data[PACKET - 1], mark);
  wt__put_off_free(packet);
  uint64_t since = now;
  now += time;
  assert_int_equal(wt__turn_served(&f->turn, of, since, WT__TURN_LATE_MAX), time < WT__TURN_LATE_MAX);
}

/* A packet of the lane that takes so long, and the clock is read behind it. */
static bool packet(struct fixture *f, struct wt__lane *lane, uint64_t time) {
  bool admitted = wt__turn_admits(&f->turn, lane);
  now += admitted ? time : 0;
  wt__turn_charge(&f->turn, NULL);
  return admitted;
}

static void test_turn_budget_ends_and_is_new_in_the_next_turn(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  assert_true(packet(&f, &f.a, WT__TURN_LANE_MAX - 1));
  assert_true(packet(&f, &f.b, 1));
  assert_true(packet(&f, &f.a, 1));
  assert_true(packet(&f, &f.b, 1));
  assert_false(packet(&f, &f.a, 1));
  assert_true(packet(&f, &f.b, 1));
  assert_int_equal(f.turn.longest_visit, WT__TURN_LANE_MAX);
  wt__turn_end(&f.turn);
  assert_true(packet(&f, &f.a, 1));
  wt__turn_end(&f.turn);
  assert_int_equal(f.turn.longest_visit, WT__TURN_LANE_MAX);
  fixture_free(&f);
}

/* A large transfer on a slow machine: one batch of it takes longer than expensive packets may. */
static void test_turn_cheap_packets_have_more_time(void **state) {
  struct fixture f;
  unsigned admitted = 0;
  (void)state;
  fixture_init(&f);
  while (wt__turn_admits(&f.turn, &f.a)) {
    now += 10 * US;
    assert_true(++admitted < 10000);
  }
  assert_in_range(admitted, WT__TURN_CHEAP_MAX / (10 * US), WT__TURN_CHEAP_MAX / (10 * US) + WT__TURN_CLOCK_EVERY);
  assert_true(packet(&f, &f.b, 1));
  fixture_free(&f);
}

/* Between two readings a cheap packet may count for another lane. One that is found to be expensive does so once. */
static void test_turn_expensive_packets_are_told_apart(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  for (int i = 0; i < 20; i++) { /* `b` has one among many of `a` */
    for (int k = 0; k < 5; k++) {
      assert_true(wt__turn_admits(&f.turn, &f.a));
      now += 1 * US;
    }
    (void)wt__turn_admits(&f.turn, &f.b);
    if (f.b.spent < WT__TURN_LANE_MAX) now += 500 * US;
  }
  wt__turn_pass(&f.turn, now);
  assert_true(f.b.spent >= WT__TURN_LANE_MAX);
  assert_true(f.a.spent <= 600 * US);
  fixture_free(&f);
}

/* The time between turns, when the loop waits, is nobody's. */
static void test_turn_waiting_costs_nobody(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  assert_true(wt__turn_admits(&f.turn, &f.a));
  wt__turn_pass(&f.turn, now);
  now += 1 * MS;
  wt__turn_charge(&f.turn, &f.a);
  wt__turn_end(&f.turn);
  now += 1000 * MS;
  assert_true(wt__turn_admits(&f.turn, &f.a));
  wt__turn_pass(&f.turn, now);
  wt__turn_end(&f.turn);
  assert_true(f.turn.longest_visit <= 1 * MS);
  fixture_free(&f);
}

static void test_turn_reads_the_clock_rarely_but_for_costly_packets(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  for (int i = 0; i < 80; i++) {
    assert_true(wt__turn_admits(&f.turn, i & 1 ? &f.a : &f.b));
    now += 1 * US;
  }
  assert_true(readings <= 80 / WT__TURN_CLOCK_EVERY + 1);
  now += WT__TURN_CLOCK_EVERY * WT__TURN_COSTLY;
  while (!f.turn.clock_each) assert_true(wt__turn_admits(&f.turn, &f.a));
  unsigned before = readings;
  for (int i = 0; i < WT__TURN_CLOCK_EACH; i++) (void)wt__turn_admits(&f.turn, &f.a);
  assert_int_equal(readings - before, WT__TURN_CLOCK_EACH);
  for (int i = 0; i < 80; i++) (void)wt__turn_admits(&f.turn, &f.a);
  assert_true(readings - before <= WT__TURN_CLOCK_EACH + 80 / WT__TURN_CLOCK_EVERY + 1);
  fixture_free(&f);
}

/* Likewise for the pieces of work in a run. */
static void test_turn_light_work_is_looked_at_rarely(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  wt__turn_pass(&f.turn, now);
  wt__turn_charge(&f.turn, &f.a);
  wt__turn_allow(&f.turn, WT__TURN_LANE_MAX);
  for (int i = 0; i < 80; i++) assert_true(wt__turn_has_time(&f.turn, true));
  assert_true(readings <= 80 / WT__TURN_CLOCK_EVERY + 1);
  now += WT__TURN_LANE_MAX;
  int more = 0;
  while (wt__turn_has_time(&f.turn, true)) more++;
  assert_true(more < WT__TURN_CLOCK_EVERY);
  assert_true(f.turn.clock_each > 0);
  wt__turn_charge(&f.turn, &f.b);
  wt__turn_allow(&f.turn, WT__TURN_LANE_MAX);
  now += WT__TURN_LANE_MAX;
  assert_false(wt__turn_has_time(&f.turn, true)); /* noticed at once now */
  fixture_free(&f);
}

/* While a packet waits, those behind it do, too, whatever time there is: they stay in order. */
static void test_turn_packets_wait_in_order_and_lanes_take_turns(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  assert_true(put_off(&f, &f.a, 1));
  assert_true(put_off(&f, &f.a, 2));
  assert_true(put_off(&f, &f.b, 3));
  assert_true(put_off(&f, &f.a, 4));
  assert_true(put_off(&f, &f.b, 5));
  assert_false(wt__turn_admits(&f.turn, &f.a));
  assert_true(wt__turn_admits(&f.turn, &f.c));
  wt__turn_end(&f.turn);
  assert_false(wt__turn_admits(&f.turn, &f.a));
  check_next(&f, &f.a, 1, 10 * US);
  check_next(&f, &f.b, 3, 20 * US);
  check_next(&f, &f.a, 2, 20 * US);
  check_next(&f, &f.b, 5, 10 * US);
  assert_true(wt__turn_admits(&f.turn, &f.b));
  assert_false(wt__turn_admits(&f.turn, &f.a));
  check_next(&f, &f.a, 4, 10 * US);
  assert_true(wt__turn_admits(&f.turn, &f.a));
  struct wt__lane *of;
  assert_null(wt__turn_take_late(&f.turn, &of));
  assert_int_equal(f.turn.put_off, 5);
  assert_int_equal(f.sum.bytes, 0);
  fixture_free(&f);
}

/* Least time first: cheap packets behind expensive ones of others do not wait for them. */
static void test_turn_least_time_is_served_first(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  for (uint8_t i = 0; i < 3; i++) {
    assert_true(put_off(&f, &f.a, 1));
    assert_true(put_off(&f, &f.b, 2));
  }
  check_next(&f, &f.a, 1, 3 * MS);
  check_next(&f, &f.b, 2, 4 * MS);
  for (uint8_t i = 0; i < 5; i++) assert_true(put_off(&f, &f.c, 3)); /* joins where they began */
  for (uint8_t i = 0; i < 5; i++) check_next(&f, &f.c, 3, 10 * US);
  check_next(&f, &f.a, 1, 3 * MS);
  assert_true(put_off(&f, &f.c, 3)); /* and comes back */
  check_next(&f, &f.c, 3, 10 * US);
  check_next(&f, &f.b, 2, 3 * MS);
  check_next(&f, &f.a, 1, 3 * MS);
  assert_true(put_off(&f, &f.a, 4)); /* nothing waited for a moment: what it took is not forgotten */
  check_next(&f, &f.b, 2, 1 * MS);
  check_next(&f, &f.a, 4, 1 * MS);
  fixture_free(&f);
}

static void test_turn_what_waits_has_a_bound_and_is_counted(void **state) {
  struct fixture f;
  struct wt__path path = {.remote_len = 0};
  uint8_t data[PACKET] = {0};
  (void)state;
  fixture_init(&f);
  size_t size = sizeof(struct wt__put_off) + PACKET, fits = WT__TURN_PUT_OFF_MAX / size;
  for (size_t i = 0; i < fits; i++) assert_true(put_off(&f, &f.a, 1));
  assert_false(put_off(&f, &f.a, 1));
  assert_int_equal(f.turn.dropped, 1);
  assert_int_equal(f.turn.put_off, fits);
  assert_int_equal(f.gauge.bytes, fits * size);
  assert_int_equal(f.sum.bytes, fits * size);
  /* Each has its own; and there may be less room, for want of memory. */
  assert_true(put_off(&f, &f.b, 1));
  assert_false(wt__turn_put_off(&f.turn, &f.c, size - 1, &path, 0, data, PACKET));
  assert_true(wt__turn_put_off(&f.turn, &f.c, size, &path, 0, data, PACKET));
  assert_false(wt__turn_put_off(&f.turn, &f.c, 0, &path, 0, data, PACKET));
  check_next(&f, &f.a, 1, 10 * US);
  assert_true(put_off(&f, &f.a, 1));
  assert_false(put_off(&f, &f.a, 1));
  fixture_free(&f);
}

static void test_turn_out_of_memory_is_a_loss(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  wt__mem_fail_after(0);
  assert_false(put_off(&f, &f.a, 1));
  wt__mem_fail_after(SIZE_MAX);
  assert_int_equal(f.turn.dropped, 1);
  assert_true(wt__turn_admits(&f.turn, &f.a));
  fixture_free(&f);
}

/* A connection that ends while it is its time, and while its packets wait. */
static void test_turn_lane_goes_away(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  assert_true(wt__turn_admits(&f.turn, &f.a));
  assert_true(put_off(&f, &f.a, 1));
  assert_true(put_off(&f, &f.b, 2));
  wt__lane_clear(&f.turn, &f.a);
  assert_null(f.turn.lane);
  memset(&f.a, 0xee, sizeof(f.a)); /* nobody looks at it any more */
  now += 5 * MS;
  wt__turn_charge(&f.turn, &f.b);
  check_next(&f, &f.b, 2, 10 * US);
  wt__turn_end(&f.turn);
  wt__lane_init(&f.a, &f.gauge);
  fixture_free(&f);
}

static void test_turn_run_has_its_time(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  wt__turn_pass(&f.turn, now);
  wt__turn_charge(&f.turn, &f.a);
  wt__turn_allow(&f.turn, WT__TURN_LANE_MAX);
  assert_true(wt__turn_has_time(&f.turn, false));
  now += WT__TURN_LANE_MAX - 1;
  assert_true(wt__turn_has_time(&f.turn, false));
  now += 1;
  assert_false(wt__turn_has_time(&f.turn, false));
  assert_true(wt__turn_within(&f.turn, f.turn.began, WT__TURN_LANE_MAX + 1));
  assert_false(wt__turn_within(&f.turn, f.turn.began, WT__TURN_LANE_MAX));
  wt__turn_charge(&f.turn, &f.b);
  wt__turn_allow(&f.turn, WT__TURN_LANE_MAX);
  assert_true(wt__turn_has_time(&f.turn, false));
  wt__turn_end(&f.turn);
  fixture_free(&f);
}

static void test_turn_without_a_clock_has_no_budgets(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  wt__turn_init(&f.turn, NULL, NULL, NULL);
  for (int i = 0; i < 100; i++) {
    assert_true(wt__turn_admits(&f.turn, &f.a));
    now += 100 * MS;
  }
  wt__turn_pass(&f.turn, now);
  wt__turn_charge(&f.turn, &f.a);
  wt__turn_allow(&f.turn, 0);
  assert_true(wt__turn_has_time(&f.turn, false));
  assert_true(wt__turn_within(&f.turn, 0, 0));
  wt__turn_end(&f.turn);
  assert_int_equal(readings, 0);
  assert_int_equal(f.turn.longest_visit, 0);
  fixture_free(&f);
}

/* Runs of two connections by turns, each of `time`; how many the pass lets begin before it has taken its time. */
static int runs_of_a_pass(struct fixture *f, uint64_t time) {
  int runs = 0;
  wt__turn_pass(&f->turn, now);
  for (uint64_t since = f->turn.at; runs < 1000; runs++, now += time) {
    wt__turn_charge_lightly(&f->turn, runs % 2 ? &f->b : &f->a);
    if (f->turn.at - since >= WT__TURN_PASS_MAX) break;
  }
  wt__turn_end(&f->turn);
  return runs;
}

/* Slow callbacks are noticed at the eighth run, and then at each, so that a pass keeps its time. */
static void test_turn_runs_are_told_apart_once_they_take_long(void **state) {
  struct fixture f;
  (void)state;
  fixture_init(&f);
  assert_int_equal(runs_of_a_pass(&f, 1000), 1000);
  assert_in_range(runs_of_a_pass(&f, 1 * MS), 5, WT__TURN_CLOCK_EVERY);
  for (int i = 0; i < 10; i++) assert_int_equal(runs_of_a_pass(&f, 1 * MS), 5);
  assert_int_equal(runs_of_a_pass(&f, WT__TURN_COSTLY_RUN), 20);
  fixture_free(&f);
}

/* --- Time that the machine gave to others --- */

static struct wt__thread_time thread;
static bool thread_known;
static unsigned thread_readings;

static bool test_thread_time(void *ctx, struct wt__thread_time *time) {
  (void)ctx;
  thread_readings++;
  *time = thread;
  return thread_known;
}

static void starved_init(struct fixture *f) {
  fixture_init(f);
  thread = (struct wt__thread_time){.cpu = 7 * MS, .waits = 3};
  thread_known = true;
  thread_readings = 0;
  f->turn.lost.read = test_thread_time;
}

static void run_for(uint64_t time) {
  now += time;
  thread.cpu += time;
}

/* Between two turns the loop waits. */
static void wait_for(uint64_t time) {
  now += time;
  thread.waits++;
}

static void test_turn_blames_nobody_for_time_that_others_had(void **state) {
  struct fixture f;
  (void)state;
  starved_init(&f);
  for (int i = 0; i < 1000; i++) {
    assert_true(wt__turn_admits(&f.turn, i % 7 ? &f.a : &f.b));
    run_for(2 * US);
    if (i % 10 == 0) now += 40 * MS; /* the machine ran somebody else in the middle of the packet */
    if (i % 5) continue;
    wt__turn_pass(&f.turn, now);
    wt__turn_charge_lightly(&f.turn, &f.a);
    wt__turn_allow(&f.turn, WT__TURN_LANE_MAX);
    now += 40 * MS;
    assert_true(wt__turn_has_time(&f.turn, false));
    wt__turn_end(&f.turn);
    wait_for(i % 3 * 100 * US);
  }
  wt__turn_end(&f.turn);
  assert_true(f.turn.longest_visit < 100 * US);
  assert_int_equal(f.turn.clock_each, 0);
  assert_int_equal(f.turn.clock_at, now); /* how long turns take is the clock's time */
  fixture_free(&f);
}

/* The first half is the lane's own, the second half is not. */
static void test_turn_charges_what_was_used_of_a_long_time(void **state) {
  struct fixture f;
  (void)state;
  starved_init(&f);
  assert_true(wt__turn_admits(&f.turn, &f.a));
  run_for(WT__TURN_LANE_MAX);
  now += 30 * MS;
  wt__turn_charge(&f.turn, &f.b);
  assert_int_equal(f.a.spent, WT__TURN_LANE_MAX);
  wt__turn_charge(&f.turn, NULL);
  f.turn.clock_each = 1; /* the budget is that of packets that cost much */
  assert_false(packet(&f, &f.a, 1));
  assert_true(packet(&f, &f.b, 1));
  fixture_free(&f);
}

/* A callback that sleeps uses no processor either, and does keep the others waiting. */
static void test_turn_charges_waits_of_the_thread(void **state) {
  struct fixture f;
  (void)state;
  starved_init(&f);
  assert_true(wt__turn_admits(&f.turn, &f.a));
  wait_for(10 * MS);
  wt__turn_charge(&f.turn, NULL);
  assert_int_equal(f.a.spent, 10 * MS);
  assert_false(packet(&f, &f.a, 1));
  fixture_free(&f);
}

/* A kernel that does not count waits, or a sandbox that does not tell, or a loop that another thread goes on with. */
static void test_turn_charges_all_where_the_system_does_not_tell(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    struct fixture f;
    starved_init(&f);
    thread.waits = i == 0 ? 0 : 3;
    thread_known = i != 1;
    assert_true(wt__turn_admits(&f.turn, &f.a));
    now += 10 * MS;
    if (i == 2) thread.cpu = 0;
    wt__turn_charge(&f.turn, NULL);
    assert_int_equal(f.a.spent, 10 * MS);
    fixture_free(&f);
  }
}

/* Reading it is a system call: four thousand a second at most while nothing is lost, however short the turns are. */
static void test_turn_seldom_reads_the_time_of_the_thread(void **state) {
  struct fixture f;
  uint64_t began;
  (void)state;
  starved_init(&f);
  began = now;
  for (int turns = 0; turns < 10000; turns++) {
    for (int i = 0; i < 10; i++) {
      assert_true(wt__turn_admits(&f.turn, &f.a));
      run_for(1 * US);
    }
    wt__turn_end(&f.turn);
    wait_for(10 * US);
  }
  assert_true(thread_readings <= (now - began) / WT__LOST_SAMPLE_EVERY + 1);
  fixture_free(&f);
}

/* Short turns, one after the other: what is lost in the first of them may be charged, but then it is noticed. */
static void test_turn_looks_closely_once_time_was_lost(void **state) {
  struct fixture f;
  (void)state;
  starved_init(&f);
  for (int turns = 0; turns < 40; turns++) {
    assert_true(wt__turn_admits(&f.turn, &f.a));
    run_for(10 * US);
    if (turns % 4 == 3) now += 20 * MS;
    wt__turn_end(&f.turn);
    wait_for(10 * US);
    if (turns == 3) f.turn.longest_visit = 0;
  }
  assert_int_equal(f.turn.longest_visit, 10 * US);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_turn_budget_ends_and_is_new_in_the_next_turn),
      cmocka_unit_test(test_turn_cheap_packets_have_more_time),
      cmocka_unit_test(test_turn_expensive_packets_are_told_apart),
      cmocka_unit_test(test_turn_waiting_costs_nobody),
      cmocka_unit_test(test_turn_reads_the_clock_rarely_but_for_costly_packets),
      cmocka_unit_test(test_turn_light_work_is_looked_at_rarely),
      cmocka_unit_test(test_turn_packets_wait_in_order_and_lanes_take_turns),
      cmocka_unit_test(test_turn_least_time_is_served_first),
      cmocka_unit_test(test_turn_what_waits_has_a_bound_and_is_counted),
      cmocka_unit_test(test_turn_out_of_memory_is_a_loss),
      cmocka_unit_test(test_turn_lane_goes_away),
      cmocka_unit_test(test_turn_run_has_its_time),
      cmocka_unit_test(test_turn_without_a_clock_has_no_budgets),
      cmocka_unit_test(test_turn_runs_are_told_apart_once_they_take_long),
      cmocka_unit_test(test_turn_blames_nobody_for_time_that_others_had),
      cmocka_unit_test(test_turn_charges_what_was_used_of_a_long_time),
      cmocka_unit_test(test_turn_charges_waits_of_the_thread),
      cmocka_unit_test(test_turn_charges_all_where_the_system_does_not_tell),
      cmocka_unit_test(test_turn_seldom_reads_the_time_of_the_thread),
      cmocka_unit_test(test_turn_looks_closely_once_time_was_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
