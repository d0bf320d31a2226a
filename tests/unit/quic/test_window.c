/* SPDX-License-Identifier: MIT */

/* src/quic/window.c: when a limit is extended, by how much, and when the window grows and shrinks. */

#include "quic/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RTT 100

/* `len` bytes are read at `now`, and the limit is extended if that is due. Returns by how much. */
static uint64_t read_at(struct wt__window *window, uint64_t len, uint64_t now, bool may_grow) {
  wt__window_read(window, len);
  return wt__window_due(window) ? wt__window_extend(window, may_grow, now, RTT) : 0;
}

static void test_window_extends_by_what_was_read(void **state) {
  struct wt__window window;
  (void)state;
  wt__window_init(&window, 1000, 8000);
  assert_int_equal(read_at(&window, 250, 0, true), 0); /* a quarter is not more than a quarter */
  assert_int_equal(read_at(&window, 1, 0, true), 251);
  assert_int_equal(read_at(&window, 100, 1000, true), 0);
  assert_int_equal(read_at(&window, 900, 1000, true), 1000);
  assert_int_equal(window.size, 1000);
}

static void test_window_doubles_while_it_is_read_fast(void **state) {
  struct wt__window window;
  (void)state;
  wt__window_init(&window, 1000, 7000);
  assert_int_equal(read_at(&window, 300, 0, true), 300); /* nothing to compare with */
  assert_int_equal(read_at(&window, 300, 2 * RTT, true), 300);
  assert_int_equal(read_at(&window, 300, 4 * RTT - 1, true), 1300);
  assert_int_equal(window.size, 2000);
  assert_int_equal(read_at(&window, 600, 4 * RTT, true), 2600);
  assert_int_equal(read_at(&window, 1100, 4 * RTT, true), 1100 + 3000);
  assert_int_equal(window.size, 7000); /* the most */
  assert_int_equal(read_at(&window, 2000, 4 * RTT, true), 2000);
}

static void test_window_shrinks_to_its_initial_size(void **state) {
  struct wt__window window;
  (void)state;
  wt__window_init(&window, 1000, 4000);
  (void)read_at(&window, 300, 0, true);
  (void)read_at(&window, 300, 0, true);
  (void)read_at(&window, 600, 0, true);
  assert_int_equal(window.size, 4000);
  assert_int_equal(read_at(&window, 1200, 1, false), 0);
  assert_int_equal(window.size, 2800);
  assert_int_equal(read_at(&window, 2000, 2, false), 200);
  assert_int_equal(window.size, 1000);
  assert_int_equal(read_at(&window, 300, 3, false), 300); /* neither shrinks further nor grows */
  assert_int_equal(window.size, 1000);
  assert_int_equal(read_at(&window, 300, 4, true), 1300);
}

static void test_window_without_growth(void **state) {
  struct wt__window window;
  (void)state;
  wt__window_init(&window, 1000, 1000);
  for (uint64_t i = 0; i < 10; i++) assert_int_equal(read_at(&window, 400, i, true), 400);
  assert_int_equal(window.size, 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_window_extends_by_what_was_read),
      cmocka_unit_test(test_window_doubles_while_it_is_read_fast),
      cmocka_unit_test(test_window_shrinks_to_its_initial_size),
      cmocka_unit_test(test_window_without_growth),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
