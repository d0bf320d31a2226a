/* SPDX-License-Identifier: MIT */

/* src/quic/blocks.c: blocks come and go, what is left goes at the end, and sizes that cannot be are refused. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "quic/blocks.h"

static struct wt__blocks blocks;
static struct wt__gauge_sum sum;
static struct wt__gauge gauge = {.sum = &sum};
static int64_t before;

static int set_up(void **state) {
  (void)state;
  before = wt__mem_live();
  wt__blocks_init(&blocks, &gauge);
  return 0;
}

static void *make(size_t size) { return blocks.mem.malloc(size, blocks.mem.user_data); }
static void *make_zeroed(size_t count, size_t size) { return blocks.mem.calloc(count, size, blocks.mem.user_data); }
static void *resize(void *ptr, size_t size) { return blocks.mem.realloc(ptr, size, blocks.mem.user_data); }
static void release(void *ptr) { blocks.mem.free(ptr, blocks.mem.user_data); }

static void test_blocks_come_and_go(void **state) {
  (void)state;
  static const uint8_t zeros[30];
  uint8_t *a = make(10), *b = make_zeroed(3, 10), *c = resize(NULL, 20);
  assert_int_equal(wt__mem_live(), before + 3);
  assert_int_equal((uintptr_t)a % _Alignof(max_align_t), 0);
  assert_memory_equal(b, zeros, 30);
  memset(a, 1, 10);
  memset(c, 3, 20);
  a = resize(a, 100000);
  for (int i = 0; i < 10; i++) assert_int_equal(a[i], 1);
  release(b);
  release(NULL);
  assert_int_equal(wt__mem_live(), before + 2);
  release(a);
  release(c);
  assert_int_equal(wt__mem_live(), before);
  assert_int_equal(gauge.bytes, 0);
  wt__blocks_free(&blocks);
  assert_int_equal(wt__mem_live(), before);
}

static void test_blocks_that_are_left_are_freed(void **state) {
  (void)state;
  void *kept[20];
  for (size_t i = 0; i < 20; i++) assert_non_null(kept[i] = make(i));
  for (size_t i = 0; i < 20; i += 3) release(kept[i]);
  size_t counted = gauge.bytes;
  assert_non_null(resize(kept[1], 5000));
  assert_in_range(gauge.bytes, counted + 4900, counted + 5200);
  wt__blocks_free(&blocks);
  assert_int_equal(gauge.bytes, 0);
  assert_int_equal(wt__mem_live(), before);
}

static void test_blocks_out_of_memory(void **state) {
  (void)state;
  uint8_t *a = make(10);
  memset(a, 7, 10);
  assert_null(make(SIZE_MAX - 1));
  assert_null(make_zeroed(SIZE_MAX / 2, 3));
  assert_null(resize(a, SIZE_MAX - 1));
  wt__mem_fail_after(0);
  assert_null(make(10));
  wt__mem_fail_after(0);
  assert_null(make_zeroed(1, 10));
  wt__mem_fail_after(0);
  assert_null(resize(a, 100));
  for (int i = 0; i < 10; i++) assert_int_equal(a[i], 7);
  wt__blocks_free(&blocks);
  assert_int_equal(gauge.bytes, 0);
  assert_int_equal(wt__mem_live(), before);
}

/* Blocks that were allocated while packets were read are counted apart, whenever they are freed. */
static void test_blocks_of_reading_are_counted_apart(void **state) {
  (void)state;
  void *kept[10], *a = make(100);
  assert_int_equal(blocks.read, 0);
  blocks.reading = true;
  for (size_t i = 0; i < 10; i++) kept[i] = make(1000);
  assert_in_range(blocks.read, 10 * 1000, 10 * 1100);
  size_t read = blocks.read;
  release(a); /* not of reading, but freed there */
  assert_int_equal(blocks.read, read);
  blocks.reading = false;
  void *b = make(5000);
  assert_int_equal(blocks.read, read);
  for (size_t i = 0; i < 10; i += 2) release(kept[i]);
  assert_int_equal(blocks.read, read / 2);
  assert_true(gauge.bytes > blocks.read + 5000);
  release(b);
  assert_int_equal(gauge.bytes, blocks.read);
  for (size_t i = 9; i < 10; i -= 2) release(kept[i]);
  assert_int_equal(blocks.read, 0);
  assert_int_equal(gauge.bytes, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_blocks_come_and_go, set_up),
      cmocka_unit_test_setup(test_blocks_that_are_left_are_freed, set_up),
      cmocka_unit_test_setup(test_blocks_out_of_memory, set_up),
      cmocka_unit_test_setup(test_blocks_of_reading_are_counted_apart, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
