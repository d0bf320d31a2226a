/* SPDX-License-Identifier: MIT */

/* src/base/pool.c: blocks do not overlap, come again, and go back; what is kept has its bound; no memory, no harm. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"

#ifdef WT__POOL_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define MANY 5000

static struct wt__pool pool;
static int64_t before;

static int set_up(void **state) {
  (void)state;
  before = wt__mem_live();
  wt__pool_init(&pool);
  pool.direct = false; /* slabs, under AddressSanitizer too */
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  wt__pool_free(&pool);
  return wt__mem_live() == before ? 0 : -1;
}

static int64_t slabs(void) { return wt__mem_live() - before; }

static void test_pool_blocks_are_ones_own(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 16, 63, 64, 65, 100, 500, 2047, 2048, 2049, 50000};
  uint8_t *blocks[12][20];
  for (int i = 0; i < 20; i++) {
    for (size_t s = 0; s < 12; s++) {
      assert_non_null(blocks[s][i] = wt__pool_take(&pool, sizes[s]));
      assert_int_equal((uintptr_t)blocks[s][i] % _Alignof(max_align_t), 0);
      memset(blocks[s][i], (int)(s * 20 + i), sizes[s]);
    }
  }
  for (int i = 0; i < 20; i++) {
    for (size_t s = 0; s < 12; s++) {
      for (size_t b = 0; b < sizes[s]; b++) assert_int_equal(blocks[s][i][b], (uint8_t)(s * 20 + i));
      wt__pool_give(&pool, blocks[s][i], sizes[s]);
    }
  }
}

static void test_pool_block_given_back_is_the_next(void **state) {
  (void)state;
  uint8_t *a = wt__pool_take(&pool, 100), *b = wt__pool_take(&pool, 120);
  assert_int_equal(slabs(), 1); /* sizes that are near share one */
  memset(a, 0xff, 100);
  wt__pool_give(&pool, a, 100);
  uint8_t *c = wt__pool_take_zeroed(&pool, 110);
  assert_ptr_equal(c, a);
  for (int i = 0; i < 110; i++) assert_int_equal(c[i], 0);
  wt__pool_give(&pool, NULL, 100);
  wt__pool_give(&pool, b, 120);
  wt__pool_give(&pool, c, 110);
}

/* Fills `count` blocks in random order of coming and going; each is checked when it goes. */
static void test_pool_random_life(void **state) {
  (void)state;
  static struct {
    uint8_t *data;
    size_t size;
    uint8_t mark;
  } blocks[300];
  uint32_t seed = 1;
  memset(blocks, 0, sizeof(blocks));
  for (int i = 0; i < 60000; i++) {
    seed = seed * 1664525 + 1013904223;
    size_t at = (seed >> 8) % 300;
    if (blocks[at].data) {
      for (size_t b = 0; b < blocks[at].size; b++) assert_int_equal(blocks[at].data[b], blocks[at].mark);
      wt__pool_give(&pool, blocks[at].data, blocks[at].size);
      blocks[at].data = NULL;
    } else {
      blocks[at].size = (seed >> 20) % 700;
      blocks[at].mark = (uint8_t)i;
      assert_non_null(blocks[at].data = wt__pool_take(&pool, blocks[at].size));
      memset(blocks[at].data, blocks[at].mark, blocks[at].size);
    }
  }
  for (size_t at = 0; at < 300; at++) wt__pool_give(&pool, blocks[at].data, blocks[at].size);
}

static void test_pool_gives_memory_back_and_keeps_a_bound(void **state) {
  (void)state;
  static void *blocks[MANY];
  const size_t in_a_slab = (WT__POOL_SLAB - 64) / 320;
  for (size_t i = 0; i < MANY; i++) assert_non_null(blocks[i] = wt__pool_take(&pool, 320));
  assert_int_equal(slabs(), (MANY + in_a_slab - 1) / in_a_slab);
  for (size_t i = 0; i < MANY; i++) wt__pool_give(&pool, blocks[i], 320);
  assert_int_equal(slabs(), WT__POOL_KEEP);
  for (size_t i = 0; i < WT__POOL_KEEP * in_a_slab; i++) assert_non_null(blocks[i] = wt__pool_take(&pool, 320));
  assert_int_equal(slabs(), WT__POOL_KEEP); /* what was kept serves first */
  for (size_t i = WT__POOL_KEEP * in_a_slab; i > 0; i--) wt__pool_give(&pool, blocks[i - 1], 320);
  /* A size beside a hoarded one still keeps one slab, so that a single block does not cost a slab each time. */
  void *other = wt__pool_take(&pool, 1000);
  wt__pool_give(&pool, other, 1000);
  assert_int_equal(slabs(), WT__POOL_KEEP + 1);
  assert_ptr_equal(wt__pool_take(&pool, 1000), other);
  wt__pool_give(&pool, other, 1000);
  for (size_t size = 64; size <= WT__POOL_MAX; size += 64) {
    for (size_t i = 0; i < 600; i++) assert_non_null(blocks[i] = wt__pool_take(&pool, size));
    for (size_t i = 0; i < 600; i++) wt__pool_give(&pool, blocks[i], size);
  }
  assert_in_range(slabs(), 1, WT__POOL_KEEP + WT__POOL_SIZES);
}

static void test_pool_partly_used_slabs_serve_before_empty_ones(void **state) {
  (void)state;
  void *blocks[100];
  for (size_t i = 0; i < 100; i++) blocks[i] = wt__pool_take(&pool, 2048);
  for (size_t i = 0; i < 100; i++) {
    if (i % 7 != 0) wt__pool_give(&pool, blocks[i], 2048); /* seven in a slab: one is left in each */
  }
  int64_t held = slabs();
  assert_int_equal(held, 15);
  for (size_t i = 0; i < 100; i++) {
    if (i % 7 != 0) assert_non_null(blocks[i] = wt__pool_take(&pool, 2048));
  }
  assert_int_equal(slabs(), held);
  for (size_t i = 0; i < 100; i++) wt__pool_give(&pool, blocks[i], 2048);
}

/* A block alone in its slab costs the slab; slabs that are empty cost nothing. */
static void test_pool_tells_what_is_lost_between_blocks(void **state) {
  (void)state;
  static void *blocks[MANY];
  assert_int_equal(wt__pool_spare(&pool), 0);
  for (size_t i = 0; i < MANY; i++) blocks[i] = wt__pool_take(&pool, 300);
  size_t full = (size_t)slabs() * WT__POOL_SLAB;
  assert_int_equal(wt__pool_spare(&pool), full - (size_t)MANY * 300);
  size_t per_slab = WT__POOL_SLAB / 320, left = 0;
  for (size_t i = 0; i < MANY; i++) {
    if (i % per_slab == 0) {
      left++;
    } else {
      wt__pool_give(&pool, blocks[i], 300);
    }
  }
  assert_in_range(wt__pool_spare(&pool), (left - 1) * (WT__POOL_SLAB - 900), full);
  for (size_t i = 0; i < MANY; i += per_slab) wt__pool_give(&pool, blocks[i], 300);
  assert_int_equal(wt__pool_spare(&pool), 0);
}

static void test_pool_out_of_memory(void **state) {
  (void)state;
  wt__mem_fail_after(0); /* the block itself */
  assert_null(wt__pool_take(&pool, 100));
  wt__mem_fail_after(1); /* the slab for it */
  assert_null(wt__pool_take(&pool, 100));
  wt__mem_fail_after(0);
  assert_null(wt__pool_take(&pool, 5000));
  wt__mem_fail_after(SIZE_MAX);
  assert_int_equal(slabs(), 0);
  void *a = wt__pool_take(&pool, 100);
  assert_non_null(a);
  wt__mem_fail_after(0); /* tests that fail each allocation reach those that a slab would serve */
  assert_null(wt__pool_take(&pool, 100));
  wt__mem_fail_after(0);
  assert_null(wt__pool_take_zeroed(&pool, 100));
  wt__mem_fail_after(SIZE_MAX);
  wt__pool_give(&pool, a, 100);
}

static void test_pool_without_a_pool(void **state) {
  (void)state;
  uint8_t *a = wt__pool_take(NULL, 10), *b = wt__pool_take_zeroed(NULL, 10);
  assert_int_equal(slabs(), 2);
  for (int i = 0; i < 10; i++) assert_int_equal(b[i], 0);
  wt__pool_give(NULL, a, 10);
  wt__pool_give(NULL, b, 10);
  pool.direct = true;
  a = wt__pool_take(&pool, 10);
  b = wt__pool_take_zeroed(&pool, 10);
  assert_int_equal(slabs(), 2);
  wt__pool_give(&pool, a, 10);
  wt__pool_give(&pool, b, 10);
  assert_int_equal(slabs(), 0);
}

static void test_pool_that_is_freed_too_early_leaves_what_is_used(void **state) {
  (void)state;
  char *a = wt__pool_take(&pool, 100), *b = wt__pool_take(&pool, 1000);
  wt__pool_give(&pool, b, 1000);
  memcpy(a, "still here", 11);
  wt__pool_free(&pool);
  assert_int_equal(slabs(), 1); /* a leak that tests see */
  assert_string_equal(a, "still here");
  wt__free((void *)((uintptr_t)a & ~(uintptr_t)(WT__POOL_SLAB - 1)));
  wt__pool_init(&pool);
}

/* AddressSanitizer sees what is not in use. */
static void test_pool_free_blocks_are_poisoned(void **state) {
  (void)state;
#ifdef WT__POOL_ASAN
  char *a = wt__pool_take(&pool, 100), *b = wt__pool_take(&pool, 100);
  assert_null(__asan_region_is_poisoned(a, 128));
  assert_ptr_equal(__asan_region_is_poisoned(b + 128, 1), b + 128); /* never used yet */
  wt__pool_give(&pool, a, 100);
  assert_ptr_equal(__asan_region_is_poisoned(a, 100), a);
  assert_null(__asan_region_is_poisoned(b, 100));
  wt__pool_give(&pool, b, 100);
#else
  struct wt__pool other;
  wt__pool_init(&other);
  assert_false(other.direct); /* nothing looks: pools are used */
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_pool_blocks_are_ones_own, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_pool_block_given_back_is_the_next, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_pool_random_life, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_pool_gives_memory_back_and_keeps_a_bound, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_pool_partly_used_slabs_serve_before_empty_ones, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_pool_tells_what_is_lost_between_blocks, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_pool_out_of_memory, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_pool_without_a_pool, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_pool_that_is_freed_too_early_leaves_what_is_used, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_pool_free_blocks_are_poisoned, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
