/* SPDX-License-Identifier: MIT */

/* src/quic/read_limit.c: how much memory a peer's packets may take, from its window and streams. */

#include "quic/read_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_read_limit_follows_window_and_streams(void **state) {
  struct wt__read_use use = {.handshake_done = true, .window = 1 << 20};
  (void)state;
  size_t base = wt__read_limit(&use);
  assert_int_equal(base, WT__READ_BASE + (1 << 20) / 4 * 5);
  use.streams = use.most_streams = 10;
  assert_int_equal(wt__read_limit(&use), base + 10 * (WT__READ_STREAM + WT__READ_STREAM_RECORD));
  use.streams = 0; /* they are closed: their records stay with QUIC */
  assert_int_equal(wt__read_limit(&use), base + 10 * WT__READ_STREAM_RECORD);
  use.window = 4 << 20;
  assert_int_equal(wt__read_limit(&use), base + 10 * WT__READ_STREAM_RECORD + (3 << 20) / 4 * 5);
}

static void test_read_limit_of_a_handshake_is_small(void **state) {
  struct wt__read_use use = {.window = 16 << 20, .streams = 3};
  (void)state;
  assert_int_equal(wt__read_limit(&use), WT__READ_HANDSHAKE);
}

static void test_read_limit_of_huge_windows_does_not_overflow(void **state) {
  struct wt__read_use use = {.handshake_done = true, .window = UINT64_MAX, .streams = 1, .most_streams = 1};
  (void)state;
  assert_true(wt__read_limit(&use) > SIZE_MAX / 16);
  use.window = (UINT64_C(1) << 62) - 1; /* the largest that a config may have */
  assert_true(wt__read_limit(&use) > SIZE_MAX / 16);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_read_limit_follows_window_and_streams),
      cmocka_unit_test(test_read_limit_of_a_handshake_is_small),
      cmocka_unit_test(test_read_limit_of_huge_windows_does_not_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
