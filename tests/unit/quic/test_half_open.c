/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "quic/half_open.h"

#define A 1
#define B 2

static void test_half_open_finds_the_oldest(void **state) {
  (void)state;
  struct wt__half_open half_open;
  struct wt__half_open_entry entries[4];
  wt__half_open_init(&half_open);
  assert_null(wt__half_open_oldest(&half_open));
  assert_null(wt__half_open_oldest_of(wt__half_open_find(&half_open, A), true));
  const uint64_t keys[4] = {A, B, A, B};
  for (int i = 0; i < 4; i++) {
    wt__half_open_entry_init(&entries[i]);
    assert_int_equal(wt__half_open_add(&half_open, &entries[i], keys[i], true, 1, 0), 0);
  }
  assert_int_equal(half_open.count, 4);
  assert_ptr_equal(wt__half_open_oldest(&half_open), &entries[0]);
  assert_ptr_equal(wt__half_open_oldest_of(wt__half_open_find(&half_open, B), true), &entries[1]);
  assert_null(wt__half_open_oldest_of(wt__half_open_find(&half_open, B), false));
  wt__half_open_remove(&half_open, &entries[0]);
  wt__half_open_remove(&half_open, &entries[0]); /* a second time is nothing */
  assert_ptr_equal(wt__half_open_oldest(&half_open), &entries[1]);
  assert_ptr_equal(wt__half_open_oldest_of(wt__half_open_find(&half_open, A), true), &entries[2]);
  for (int i = 1; i < 4; i++) wt__half_open_remove(&half_open, &entries[i]);
  assert_null(wt__half_open_find(&half_open, A));
  assert_null(wt__half_open_find(&half_open, B));
  assert_int_equal(half_open.count, 0);
  wt__half_open_free(&half_open);
  assert_int_equal(wt__mem_live(), 0);
}

/* Whoever has shown a token is worth more than whoever has not, however old. */
static void test_half_open_prefers_those_without_a_token(void **state) {
  (void)state;
  struct wt__half_open half_open;
  struct wt__half_open_entry entries[3];
  wt__half_open_init(&half_open);
  for (int i = 0; i < 3; i++) {
    wt__half_open_entry_init(&entries[i]);
    assert_int_equal(wt__half_open_add(&half_open, &entries[i], A, i != 1, 1, 0), 0);
  }
  const struct wt__half_open_address *address = wt__half_open_find(&half_open, A);
  assert_int_equal(address->counts[true], 2);
  assert_int_equal(address->counts[false], 1);
  assert_ptr_equal(wt__half_open_oldest(&half_open), &entries[1]);
  wt__half_open_remove(&half_open, &entries[1]);
  assert_ptr_equal(wt__half_open_oldest(&half_open), &entries[0]);
  wt__half_open_remove(&half_open, &entries[0]);
  wt__half_open_remove(&half_open, &entries[2]);
  wt__half_open_free(&half_open);
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_half_open_finds_the_oldest),
      cmocka_unit_test(test_half_open_prefers_those_without_a_token),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
