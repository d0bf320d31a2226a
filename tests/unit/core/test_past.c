/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/past.h"

static void test_past_takes_memory_when_there_is_something_to_remember(void **state) {
  struct wt__gauge_sum sum = {0};
  struct wt__gauge gauge = {.sum = &sum};
  struct wt__refused_credit credit;
  struct wt__past past;
  (void)state;
  wt__past_init(&past, &gauge);
  assert_false(wt__past_has_id(&past, 0));
  assert_false(wt__past_take_refused(&past, 0, &credit));
  assert_int_equal(wt__mem_live(), 0);
  wt__past_add_id(&past, 4);
  assert_int_equal(wt__mem_live(), 1);
  assert_true(gauge.bytes > 0);
  wt__past_add_id(&past, 8);
  assert_int_equal(wt__mem_live(), 1);
  wt__past_free(&past);
  assert_int_equal(wt__mem_live(), 0);
  assert_int_equal(gauge.bytes, 0);
  wt__past_free(&past);
}

static void test_past_remembers_the_newest_ids(void **state) {
  struct wt__past past;
  (void)state;
  wt__past_init(&past, NULL);
  for (int64_t i = 0; i <= WT__PAST_IDS; i++) {
    assert_false(wt__past_has_id(&past, 4 * i));
    wt__past_add_id(&past, 4 * i);
    assert_true(wt__past_has_id(&past, 4 * i));
  }
  assert_false(wt__past_has_id(&past, 0)); /* the last one took its place */
  assert_true(wt__past_has_id(&past, 4));
  assert_true(wt__past_has_id(&past, INT64_C(4) * WT__PAST_IDS));
  wt__past_free(&past);
}

static void test_past_knows_no_session_of_id_0_by_itself(void **state) {
  struct wt__past past;
  (void)state;
  wt__past_init(&past, NULL);
  wt__past_add_id(&past, 4);
  assert_false(wt__past_has_id(&past, 0));
  assert_true(wt__past_has_id(&past, 4));
  wt__past_free(&past);
}

static void test_past_adds_up_what_refused_streams_used(void **state) {
  struct wt__refused_credit credit;
  struct wt__past past;
  (void)state;
  wt__past_init(&past, NULL);
  assert_false(wt__past_take_refused(&past, 0, &credit));
  wt__past_add_refused(&past, 4, false, 1, 10);
  assert_false(wt__past_take_refused(&past, 0, &credit)); /* an empty entry is none of session 0 */
  wt__past_add_refused(&past, 4, true, 2, 0);
  wt__past_add_refused(&past, 4, false, 3, 5);
  wt__past_add_refused(&past, 8, true, 7, 7);
  assert_true(wt__past_take_refused(&past, 4, &credit));
  assert_int_equal(credit.session_id, 4);
  assert_int_equal(credit.streams[0], 4);
  assert_int_equal(credit.streams[1], 2);
  assert_int_equal(credit.bytes, 15);
  assert_false(wt__past_take_refused(&past, 4, &credit)); /* once */
  assert_true(wt__past_take_refused(&past, 8, &credit));
  assert_int_equal(credit.streams[1], 7);
  wt__past_free(&past);
}

static void test_past_remembers_the_newest_refused_credits(void **state) {
  struct wt__refused_credit credit;
  struct wt__past past;
  (void)state;
  wt__past_init(&past, NULL);
  for (int64_t i = 0; i <= WT__PAST_REFUSED_CREDITS; i++) wt__past_add_refused(&past, 4 * i, false, 1, 0);
  assert_false(wt__past_take_refused(&past, 0, &credit));
  for (int64_t i = 1; i <= WT__PAST_REFUSED_CREDITS; i++) {
    assert_true(wt__past_take_refused(&past, 4 * i, &credit));
    assert_int_equal(credit.streams[0], 1);
  }
  wt__past_free(&past);
}

static void test_past_without_memory_remembers_nothing(void **state) {
  struct wt__refused_credit credit;
  struct wt__past past;
  (void)state;
  wt__past_init(&past, NULL);
  wt__mem_fail_after(0);
  wt__past_add_id(&past, 4);
  assert_false(wt__past_has_id(&past, 4));
  wt__mem_fail_after(0);
  wt__past_add_refused(&past, 4, false, 1, 1);
  assert_false(wt__past_take_refused(&past, 4, &credit));
  wt__mem_fail_after(SIZE_MAX);
  wt__past_free(&past);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_past_takes_memory_when_there_is_something_to_remember),
      cmocka_unit_test(test_past_remembers_the_newest_ids),
      cmocka_unit_test(test_past_knows_no_session_of_id_0_by_itself),
      cmocka_unit_test(test_past_adds_up_what_refused_streams_used),
      cmocka_unit_test(test_past_remembers_the_newest_refused_credits),
      cmocka_unit_test(test_past_without_memory_remembers_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
