/* SPDX-License-Identifier: MIT */

/* src/base/mem.c: counting, failing on demand, copies, wiping. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"

static void test_mem_live_counts_blocks(void **state) {
  (void)state;
  void *a = wt__malloc(10), *b = wt__calloc(3, 4);
  assert_non_null(a);
  assert_non_null(b);
  assert_int_equal(wt__mem_live(), 2);
  a = wt__realloc(a, 1000);
  assert_non_null(a);
  assert_int_equal(wt__mem_live(), 2);
  void *c = wt__realloc(NULL, 5);
  assert_non_null(c);
  assert_int_equal(wt__mem_live(), 3);
  wt__free(a);
  wt__free(b);
  wt__free(c);
  wt__free(NULL);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_mem_zero_size_is_not_null(void **state) {
  (void)state;
  void *blocks[] = {wt__malloc(0), wt__calloc(0, 8), wt__calloc(8, 0), wt__realloc(NULL, 0)};
  for (size_t i = 0; i < 4; i++) assert_non_null(blocks[i]);
  blocks[0] = wt__realloc(blocks[0], 0);
  assert_non_null(blocks[0]);
  assert_int_equal(wt__mem_live(), 4);
  for (size_t i = 0; i < 4; i++) wt__free(blocks[i]);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_mem_calloc_zeroes_and_refuses_overflow(void **state) {
  (void)state;
  volatile size_t huge = SIZE_MAX / 2;
  uint8_t *p = wt__calloc(5, 7);
  assert_non_null(p);
  for (size_t i = 0; i < 35; i++) assert_int_equal(p[i], 0);
  wt__free(p);
  assert_null(wt__calloc(huge, 3));
  assert_int_equal(wt__mem_live(), 0);
}

static void test_mem_size_is_what_was_asked_for_or_more(void **state) {
  (void)state;
  for (size_t size = 1; size < 100000; size = size * 3 + 1) {
    void *p = wt__malloc(size);
    assert_non_null(p);
    assert_in_range(wt__mem_size(p), size, size + 4096);
    wt__free(p);
  }
}

static void test_mem_aligned(void **state) {
  (void)state;
  void *a = wt__malloc_aligned(4096, 8192);
  assert_non_null(a);
  assert_int_equal((uintptr_t)a % 4096, 0);
  memset(a, 1, 8192);
  assert_int_equal(wt__mem_live(), 1);
  wt__mem_fail_after(0);
  assert_null(wt__malloc_aligned(4096, 4096));
  wt__free(a);
  assert_int_equal(wt__mem_live(), 0);
  /* What has memory already asks whether it is to say that it has none. */
  assert_false(wt__mem_refuses());
  wt__mem_fail_after(1);
  assert_false(wt__mem_refuses());
  assert_true(wt__mem_refuses());
  assert_false(wt__mem_refuses());
}

static void test_mem_fail_after_fails_once(void **state) {
  (void)state;
  wt__mem_fail_after(2);
  void *a = wt__malloc(1), *b = wt__calloc(1, 1), *c = wt__malloc(1), *d = wt__malloc(1);
  assert_non_null(a);
  assert_non_null(b);
  assert_null(c);
  assert_non_null(d);
  wt__mem_fail_after(0);
  assert_null(wt__realloc(a, 100)); /* and `a` is still there */
  assert_int_equal(wt__mem_live(), 3);
  wt__mem_fail_after(0);
  wt__mem_fail_after(SIZE_MAX);
  a = wt__realloc(a, 100);
  assert_non_null(a);
  wt__mem_fail_after(0);
  assert_null(wt__strdup("x"));
  wt__free(a);
  wt__free(b);
  wt__free(d);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_mem_strndup_copies_and_terminates(void **state) {
  (void)state;
  char *a = wt__strndup("hello", 3), *b = wt__strdup("world"), *c = wt__strndup(NULL, 0), *d = wt__strndup("a\0b", 3);
  assert_string_equal(a, "hel");
  assert_string_equal(b, "world");
  assert_string_equal(c, "");
  assert_memory_equal(d, "a\0b\0", 4);
  assert_null(wt__strndup("x", SIZE_MAX));
  wt__free(a);
  wt__free(b);
  wt__free(c);
  wt__free(d);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_mem_wipe_clears_only_what_is_asked(void **state) {
  (void)state;
  char secret[] = "secretsecret";
  wt__wipe(secret, 6);
  assert_memory_equal(secret, "\0\0\0\0\0\0secret", 13);
  wt__wipe(NULL, 0);
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mem_live_counts_blocks),
      cmocka_unit_test(test_mem_zero_size_is_not_null),
      cmocka_unit_test(test_mem_calloc_zeroes_and_refuses_overflow),
      cmocka_unit_test(test_mem_size_is_what_was_asked_for_or_more),
      cmocka_unit_test(test_mem_aligned),
      cmocka_unit_test(test_mem_fail_after_fails_once),
      cmocka_unit_test(test_mem_strndup_copies_and_terminates),
      cmocka_unit_test(test_mem_wipe_clears_only_what_is_asked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
