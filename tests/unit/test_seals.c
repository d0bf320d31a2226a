/* SPDX-License-Identifier: MIT */

/* The table of seals: the first keys are bound when they are used, later ones by name, and all or none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "quic/seals.h"

static const uint8_t key[32] = {1};
static char handles[8]; /* their addresses are handles */

static void setup(struct wt__seals *seals) {
  struct wt__seal *seal = wt__seal_new(WT__SEAL_AES_128_GCM, key);
  if (!seal) skip(); /* not built in */
  wt__seal_free(seal);
  *seals = (struct wt__seals){.cipher = WT__SEAL_NONE};
  wt__seals_expect(seals, false, WT__SEAL_AES_128_GCM, key);
  wt__seals_expect(seals, true, WT__SEAL_AES_128_GCM, key);
}

static void test_seals_first_keys_are_bound_by_use(void **state) {
  struct wt__seals seals;
  (void)state;
  setup(&seals);
  const struct wt__seal *tx = wt__seals_of(&seals, &handles[0], true);
  const struct wt__seal *rx = wt__seals_of(&seals, &handles[1], false);
  assert_non_null(tx);
  assert_non_null(rx);
  assert_ptr_not_equal(tx, rx);
  assert_ptr_equal(wt__seals_of(&seals, &handles[0], true), tx);
  assert_ptr_equal(wt__seals_of(&seals, &handles[1], false), rx);
  assert_null(wt__seals_of(&seals, &handles[2], true));
  assert_null(wt__seals_of(&seals, &handles[2], false));
  wt__seals_free(&seals);
}

static void test_seals_a_key_update_may_come_first(void **state) {
  struct wt__seals seals;
  (void)state;
  setup(&seals);
  wt__seals_add(&seals, &handles[2], key);
  wt__seals_add(&seals, &handles[3], key);
  const struct wt__seal *next = wt__seals_of(&seals, &handles[2], false);
  const struct wt__seal *first = wt__seals_of(&seals, &handles[0], false);
  assert_non_null(next);
  assert_non_null(first);
  assert_ptr_not_equal(next, first);
  wt__seals_remove(&seals, &handles[2]);
  assert_null(wt__seals_of(&seals, &handles[2], false));
  assert_ptr_equal(wt__seals_of(&seals, &handles[0], false), first);
  wt__seals_remove(&seals, &handles[7]); /* of a handshake */
  wt__seals_free(&seals);
}

static void test_seals_one_missing_ends_all(void **state) {
  struct wt__seals seals;
  int64_t live = wt__mem_live();
  (void)state;
  setup(&seals);
  assert_non_null(wt__seals_of(&seals, &handles[0], true));
  wt__mem_fail_after(0);
  wt__seals_add(&seals, &handles[2], key);
  wt__mem_fail_after(SIZE_MAX);
  assert_null(wt__seals_of(&seals, &handles[0], true));
  assert_null(wt__seals_of(&seals, &handles[1], false)); /* else this would be taken for the first key */
  assert_null(wt__seals_of(&seals, &handles[2], false));
  assert_int_equal(wt__mem_live(), live);
}

static void test_seals_are_bounded(void **state) {
  struct wt__seals seals;
  int64_t live = wt__mem_live();
  (void)state;
  setup(&seals);
  for (size_t i = 0; i < WT__SEALS_MAX; i++) wt__seals_add(&seals, &handles[i], key);
  assert_non_null(wt__seals_of(&seals, &handles[WT__SEALS_MAX - 1], true));
  assert_null(wt__seals_of(&seals, &handles[WT__SEALS_MAX], true)); /* no place: it waits */
  wt__seals_remove(&seals, &handles[0]);
  assert_non_null(wt__seals_of(&seals, &handles[WT__SEALS_MAX], true));
  wt__seals_add(&seals, &handles[0], key);
  assert_null(wt__seals_of(&seals, &handles[1], true));
  assert_int_equal(wt__mem_live(), live);
}

static void test_seals_of_another_cipher_are_none(void **state) {
  struct wt__seals seals = {.cipher = WT__SEAL_NONE};
  (void)state;
  wt__seals_expect(&seals, true, WT__SEAL_NONE, key);
  assert_null(wt__seals_of(&seals, &handles[0], true));
  wt__seals_add(&seals, &handles[1], key);
  assert_null(wt__seals_of(&seals, &handles[1], true));
  wt__seals_free(&seals);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_seals_first_keys_are_bound_by_use),
      cmocka_unit_test(test_seals_a_key_update_may_come_first),
      cmocka_unit_test(test_seals_one_missing_ends_all),
      cmocka_unit_test(test_seals_are_bounded),
      cmocka_unit_test(test_seals_of_another_cipher_are_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
