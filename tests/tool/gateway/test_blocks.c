/* SPDX-License-Identifier: MIT */
/* Memory for what back ends send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/blocks.h"

static void test_a_block_comes_back(void **state) {
  struct blocks blocks = {0};
  (void)state;
  uint8_t *first = blocks_take(&blocks), *second = blocks_take(&blocks);
  assert_non_null(first);
  assert_non_null(second);
  assert_ptr_not_equal(first, second);
  memset(first, 1, BLOCK_SIZE);
  memset(second, 2, BLOCK_SIZE);
  blocks_release(first, 100, &blocks); /* as a stream does, whatever it had in it */
  assert_int_equal(blocks.count, 1);
  assert_ptr_equal(blocks_take(&blocks), first);
  assert_int_equal(blocks.count, 0);
  blocks_give(&blocks, first);
  blocks_give(&blocks, second);
  blocks_free(&blocks);
  assert_int_equal(blocks.count, 0);
  assert_null(blocks.free);
}

static void test_only_so_many_are_kept(void **state) {
  uint8_t *taken[BLOCKS_KEPT + 10];
  struct blocks blocks = {0};
  (void)state;
  for (size_t i = 0; i < BLOCKS_KEPT + 10; i++) taken[i] = blocks_take(&blocks);
  for (size_t i = 0; i < BLOCKS_KEPT + 10; i++) blocks_give(&blocks, taken[i]);
  assert_int_equal(blocks.count, BLOCKS_KEPT);
  blocks_free(&blocks);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_block_comes_back),
      cmocka_unit_test(test_only_so_many_are_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
