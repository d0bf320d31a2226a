/* SPDX-License-Identifier: MIT */
/* When a message has come to all workers, and who has how many sessions. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bench/fan_board.h"

static struct fan_board board;

static void test_shares_add_up(void **state) {
  (void)state;
  for (size_t workers = 1; workers < 9; workers++) {
    for (uint64_t count = workers; count < 40; count++) {
      uint64_t sum = 0;
      for (size_t i = 0; i < workers; i++) sum += fan_board_share(count, i, workers);
      assert_int_equal(sum, count);
    }
  }
}

/* Publisher i is session i / workers of worker i % workers: each worker must have as many as that. */
static void test_publishers_are_where_the_shares_say(void **state) {
  (void)state;
  for (size_t workers = 1; workers < 9; workers++) {
    for (uint64_t count = workers; count < 40; count++) {
      uint64_t found[9] = {0};
      for (size_t i = 0; i < count; i++) assert_int_equal(i / workers, found[fan_board_worker(i, workers)]++);
      for (size_t i = 0; i < workers; i++) assert_int_equal(found[i], fan_board_share(count, i, workers));
    }
  }
}

static void test_a_message_is_complete_when_all_workers_have_it(void **state) {
  (void)state;
  assert_true(fan_board_init(&board, 2, 300, 3));
  fan_board_begin(&board, 1, 7);
  assert_false(fan_board_arrived(&board, 1, 7));
  assert_false(fan_board_arrived(&board, 1, 7));
  assert_false(fan_board_complete(&board, 1, 7));
  assert_true(fan_board_arrived(&board, 1, 7));
  assert_true(fan_board_complete(&board, 1, 7));
  assert_false(fan_board_complete(&board, 0, 7));
  fan_board_free(&board);
}

static void test_reports_of_an_old_message_change_nothing(void **state) {
  (void)state;
  assert_true(fan_board_init(&board, 1, 20, 2));
  fan_board_begin(&board, 0, 0);
  assert_false(fan_board_arrived(&board, 0, 0));
  fan_board_begin(&board, 0, 1); /* the other report took too long */
  assert_false(fan_board_arrived(&board, 0, 0));
  assert_false(fan_board_complete(&board, 0, 0));
  assert_false(fan_board_arrived(&board, 0, 1));
  assert_true(fan_board_arrived(&board, 0, 1));
  assert_false(fan_board_arrived(&board, 0, 1)); /* one too many */
  fan_board_free(&board);
}

/* Three sessions on two workers: the second worker has one, which publishes, and so no subscriber of it. */
static void test_a_worker_without_subscribers_does_not_report(void **state) {
  (void)state;
  assert_true(fan_board_init(&board, 2, 3, 2));
  fan_board_begin(&board, 1, 0);
  assert_true(fan_board_arrived(&board, 1, 0));
  fan_board_begin(&board, 0, 0);
  assert_false(fan_board_arrived(&board, 0, 0));
  assert_true(fan_board_arrived(&board, 0, 0));
  fan_board_free(&board);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shares_add_up),
      cmocka_unit_test(test_publishers_are_where_the_shares_say),
      cmocka_unit_test(test_a_message_is_complete_when_all_workers_have_it),
      cmocka_unit_test(test_reports_of_an_old_message_change_nothing),
      cmocka_unit_test(test_a_worker_without_subscribers_does_not_report),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
