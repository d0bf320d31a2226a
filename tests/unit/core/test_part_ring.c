/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <webtransport/error.h>

#include "base/mem.h"
#include "core/part_ring.h"

static struct wt__part *part_new(size_t len) {
  static const uint8_t bytes[64];
  return wt__message_new(1, bytes, len)->parts;
}

static void push(struct wt__part_ring *ring, size_t len) {
  struct wt__part *part = part_new(len);
  assert_int_equal(wt__part_ring_push(ring, part), 0);
  wt__part_unref(part);
}

static void take(struct wt__part_ring *ring, size_t len) {
  assert_int_equal(wt__part_len(wt__part_ring_first(ring)), len);
  struct wt__part *part = wt__part_ring_take(ring);
  assert_int_equal(wt__part_len(part), len);
  wt__part_unref(part);
}

static void test_part_ring_keeps_the_order_over_its_end(void **state) {
  (void)state;
  struct wt__gauge_sum sum = {0};
  struct wt__gauge gauge = {.sum = &sum};
  struct wt__part_ring ring = {.gauge = &gauge};
  size_t in = 0, out = 0;
  assert_null(wt__part_ring_first(&ring));
  assert_null(wt__part_ring_take(&ring));
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < 5 + round % 3; i++) push(&ring, in++ % 60);
    for (int i = 0; i < 4; i++) take(&ring, out++ % 60);
    assert_int_equal(ring.len, in - out);
  }
  assert_true(gauge.bytes >= 8 * ring.len);
  while (out < in) take(&ring, out++ % 60);
  assert_int_equal(ring.bytes, 0);
  assert_int_equal(gauge.bytes, 0); /* a large array went when it was empty */
  push(&ring, 7);
  assert_int_equal(ring.bytes, 7);
  take(&ring, 7);
  assert_true(gauge.bytes > 0); /* a small one stays */
  push(&ring, 1);
  push(&ring, 2);
  wt__part_ring_free(&ring);
  assert_int_equal(gauge.bytes, 0);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_part_ring_without_memory(void **state) {
  (void)state;
  struct wt__part_ring ring = {0};
  for (size_t i = 0; i < 8; i++) push(&ring, i);
  struct wt__part *part = part_new(9);
  wt__mem_fail_after(0);
  assert_int_equal(wt__part_ring_push(&ring, part), WT_ERR_NOMEM);
  wt__mem_fail_after(SIZE_MAX);
  assert_int_equal(part->refs, 1);
  assert_int_equal(ring.len, 8);
  for (size_t i = 0; i < 8; i++) take(&ring, i);
  wt__part_unref(part);
  wt__part_ring_free(&ring);
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_part_ring_keeps_the_order_over_its_end),
      cmocka_unit_test(test_part_ring_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
