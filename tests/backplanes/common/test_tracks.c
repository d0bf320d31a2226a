/* SPDX-License-Identifier: MIT */

/* What is missing, and what comes twice. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tracks.h"

static enum wt__track_verdict take(struct wt__tracks *tracks, unsigned publisher, uint64_t epoch, uint64_t number,
                                   uint64_t missed) {
  struct wt__envelope envelope = {.epoch = epoch, .number = number};
  uint64_t got = 99;
  memcpy(envelope.publisher, &publisher, sizeof(publisher));
  enum wt__track_verdict verdict = wt__tracks_take(tracks, &envelope, &got);
  assert_int_equal(got, missed);
  return verdict;
}

static void test_tracks_gaps(void **state) {
  struct wt__tracks tracks = {0};
  (void)state;
  assert_int_equal(take(&tracks, 1, 1, 5, 0), WT__TRACK_NEXT); /* the first one: nothing is known of those before */
  assert_int_equal(take(&tracks, 1, 1, 6, 0), WT__TRACK_NEXT);
  assert_int_equal(take(&tracks, 1, 1, 9, 2), WT__TRACK_NEXT);
  assert_int_equal(take(&tracks, 2, 1, 1, 0), WT__TRACK_NEXT); /* another publisher counts for itself */
  assert_int_equal(take(&tracks, 1, 1, 10, 0), WT__TRACK_NEXT);
  assert_int_equal(take(&tracks, 1, 1, UINT64_MAX, UINT64_MAX - 11), WT__TRACK_NEXT);
  wt__tracks_free(&tracks);
}

static void test_tracks_repeated(void **state) {
  struct wt__tracks tracks = {0};
  (void)state;
  assert_int_equal(take(&tracks, 1, 2, 5, 0), WT__TRACK_NEXT);
  assert_int_equal(take(&tracks, 1, 2, 5, 0), WT__TRACK_REPEATED);
  assert_int_equal(take(&tracks, 1, 2, 4, 0), WT__TRACK_REPEATED);
  assert_int_equal(take(&tracks, 1, 1, 9, 0), WT__TRACK_REPEATED); /* of an epoch that is over */
  assert_int_equal(take(&tracks, 1, 3, 1, 0), WT__TRACK_NEXT);     /* a new epoch says nothing about a gap */
  assert_int_equal(take(&tracks, 1, 3, 2, 0), WT__TRACK_NEXT);
  wt__tracks_free(&tracks);
}

static void test_tracks_forget_the_oldest(void **state) {
  struct wt__tracks tracks = {0};
  (void)state;
  for (unsigned i = 0; i < WT__TRACKS_MAX; i++) assert_int_equal(take(&tracks, i, 1, 1, 0), WT__TRACK_NEXT);
  assert_int_equal(take(&tracks, 0, 1, 2, 0), WT__TRACK_NEXT);
  assert_int_equal(take(&tracks, WT__TRACKS_MAX, 1, 1, 0), WT__TRACK_NEXT); /* publisher 1 goes */
  assert_int_equal(tracks.len, WT__TRACKS_MAX);
  assert_int_equal(take(&tracks, 0, 1, 2, 0), WT__TRACK_REPEATED);
  assert_int_equal(take(&tracks, 2, 1, 1, 0), WT__TRACK_REPEATED);
  assert_int_equal(take(&tracks, 1, 1, 1, 0), WT__TRACK_NEXT);
  wt__tracks_free(&tracks);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tracks_gaps),
      cmocka_unit_test(test_tracks_repeated),
      cmocka_unit_test(test_tracks_forget_the_oldest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
