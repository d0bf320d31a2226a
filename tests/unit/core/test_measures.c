/* SPDX-License-Identifier: MIT */

/* src/core/measures.c, and src/base/histogram.h: which range a duration counts in. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/measures.h"

static void check_histogram(struct wt__histogram *histogram) {
  const uint64_t *bounds = histogram->bounds;
  for (unsigned i = 1; i < WT__HISTOGRAM_BOUNDS; i++) assert_true(bounds[i] > bounds[i - 1]);
  for (unsigned i = 0; i < WT__HISTOGRAM_BOUNDS; i++) {
    wt__histogram_record(histogram, bounds[i]); /* in its range, and one more in the next */
    wt__histogram_record(histogram, bounds[i] + 1);
  }
  assert_int_equal(histogram->counts[0], 1);
  for (unsigned i = 1; i < WT__HISTOGRAM_BOUNDS; i++) assert_int_equal(histogram->counts[i], 2);
  assert_int_equal(histogram->counts[WT__HISTOGRAM_BOUNDS], 1);
  uint64_t sum = WT__HISTOGRAM_BOUNDS;
  for (unsigned i = 0; i < WT__HISTOGRAM_BOUNDS; i++) sum += 2 * bounds[i];
  assert_int_equal(histogram->sum, sum);
}

static void test_measures_histograms_have_growing_bounds(void **state) {
  struct wt__measures measures;
  (void)state;
  wt__measures_init(&measures);
  check_histogram(&measures.handshake);
  check_histogram(&measures.accept);
  check_histogram(&measures.round_trip);
  check_histogram(&measures.session);
}

static void test_measures_count_sessions_and_answers(void **state) {
  struct wt__measures measures;
  (void)state;
  wt__measures_init(&measures);
  wt__measures_session(&measures, 15, WT_CAUSE_TIMEOUT, 3 * WT__NS_PER_S);
  wt__measures_session(&measures, 99, WT_CAUSE_PEER, 0);
  assert_int_equal(measures.ended[15][WT_CAUSE_TIMEOUT], 1);
  assert_int_equal(measures.ended[WT__MEASURES_DRAFTS - 1][WT_CAUSE_PEER], 1);
  assert_int_equal(measures.session.sum, 3 * WT__NS_PER_S);
  wt__measures_accepted(&measures, 2, WT__BROWSER_FIREFOX);
  wt__measures_accepted(&measures, 99, WT__BROWSER_OTHER);
  assert_int_equal(measures.accepted[2][WT__BROWSER_FIREFOX], 1);
  assert_int_equal(measures.accepted[WT__MEASURES_DRAFTS - 1][WT__BROWSER_OTHER], 1);
  wt__measures_answer(&measures, 200);
  wt__measures_answer(&measures, 299);
  wt__measures_answer(&measures, 599);
  wt__measures_answer(&measures, 999); /* an application may answer so */
  assert_int_equal(measures.answers[2], 2);
  assert_int_equal(measures.answers[5], 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_measures_histograms_have_growing_bounds),
      cmocka_unit_test(test_measures_count_sessions_and_answers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
