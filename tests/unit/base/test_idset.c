/* SPDX-License-Identifier: MIT */

/* src/base/idset.c: every order of a few numbers, and neighbours that join. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "base/idset.h"

static void assert_is(const struct wt__idset *set, const bool *expected, uint64_t count) {
  for (uint64_t id = 0; id < count; id++) assert_int_equal(wt__idset_has(set, id), expected[id]);
  for (size_t i = 0; i < set->len; i++) {
    assert_true(set->ranges[i].from < set->ranges[i].to);
    if (i) assert_true(set->ranges[i - 1].to < set->ranges[i].from);
  }
}

static void test_idset_holds_what_was_added_in_any_order(void **state) {
  (void)state;
  uint64_t random = 1;
  for (int round = 0; round < 200; round++) {
    struct wt__idset set;
    bool expected[64] = {false};
    wt__idset_init(&set);
    for (int i = 0; i < 100; i++) {
      random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
      uint64_t id = (random >> 33) % 64;
      expected[id] = true;
      assert_int_equal(wt__idset_add(&set, id), 0);
      assert_is(&set, expected, 64);
    }
    wt__idset_free(&set);
  }
}

static void test_idset_of_neighbours_is_one_range(void **state) {
  (void)state;
  struct wt__idset set;
  wt__idset_init(&set);
  for (uint64_t id = 0; id < 100000; id += 2) assert_int_equal(wt__idset_add(&set, id), 0);
  assert_int_equal(set.len, 50000);
  for (uint64_t id = 1; id < 100000; id += 2) assert_int_equal(wt__idset_add(&set, id), 0);
  assert_int_equal(set.len, 1);
  assert_true(wt__idset_has(&set, 99999));
  assert_false(wt__idset_has(&set, 100000));
  wt__idset_free(&set);
  assert_false(wt__idset_has(&set, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_idset_holds_what_was_added_in_any_order),
      cmocka_unit_test(test_idset_of_neighbours_is_one_range),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
