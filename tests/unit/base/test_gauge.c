/* SPDX-License-Identifier: MIT */

/* src/base/gauge.h: a connection's bytes count in its sum, and those who have no gauge count nowhere. */

#include "base/gauge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "base/buf.h"
#include "base/mem.h"

static void test_gauge_counts_in_the_sum(void **state) {
  struct wt__gauge_sum sum = {.share = SIZE_MAX};
  struct wt__gauge a = {.sum = &sum}, b = {.sum = &sum};
  (void)state;
  wt__gauge_add(&a, 10);
  wt__gauge_add(&b, 5);
  wt__gauge_add_queued(&a, 100);
  assert_int_equal(a.bytes, 10);
  assert_int_equal(a.queued, 100);
  assert_int_equal(wt__gauge_total(&a), 110);
  assert_int_equal(b.bytes, 5);
  assert_int_equal(sum.bytes, 115);
  wt__gauge_remove(&a, 10);
  wt__gauge_remove_queued(&a, 100);
  assert_int_equal(a.bytes, 0);
  assert_int_equal(sum.bytes, 5);
}

static void test_gauge_may_be_missing(void **state) {
  struct wt__gauge_sum full = {.pressure = WT__PRESSURE_FULL};
  (void)state;
  wt__gauge_add(NULL, 10);
  wt__gauge_remove(NULL, 10);
  wt__gauge_add_queued(NULL, 10);
  wt__gauge_remove_queued(NULL, 10);
  assert_null(wt__gauge_sum_of(NULL));
  assert_int_equal(wt__gauge_pressure(NULL), WT__PRESSURE_NONE);
  assert_int_equal(wt__gauge_pressure(&full), WT__PRESSURE_FULL);
}

static void test_gauge_of_a_buffer_counts_its_array(void **state) {
  static const uint8_t data[1000];
  struct wt__gauge_sum sum = {.share = SIZE_MAX};
  struct wt__gauge gauge = {.sum = &sum};
  struct wt__buf buf;
  (void)state;
  wt__buf_init(&buf, 100000);
  buf.gauge = &gauge;
  for (size_t i = 0; i < 50; i++) {
    assert_int_equal(wt__buf_append(&buf, data, sizeof(data)), 0);
    assert_int_equal(gauge.bytes, buf.cap);
    assert_true(buf.cap >= buf.len);
  }
  while (buf.cap - buf.off - buf.len >= sizeof(data)) assert_int_equal(wt__buf_append(&buf, data, sizeof(data)), 0);
  wt__mem_fail_after(0);
  assert_int_equal(wt__buf_append(&buf, data, sizeof(data)), WT_ERR_NOMEM);
  assert_int_equal(gauge.bytes, buf.cap); /* it stays as it was */
  struct wt__buf moved = wt__buf_move(&buf);
  assert_int_equal(buf.len + buf.cap, 0);
  assert_int_equal(gauge.bytes, moved.cap);
  assert_int_equal(wt__buf_append(&buf, data, 10), 0);
  assert_int_equal(gauge.bytes, moved.cap + buf.cap);
  wt__buf_take(&moved, moved.len);
  assert_int_equal(gauge.bytes, buf.cap);
  wt__buf_free(&buf);
  assert_int_equal(gauge.bytes, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gauge_counts_in_the_sum),
      cmocka_unit_test(test_gauge_may_be_missing),
      cmocka_unit_test(test_gauge_of_a_buffer_counts_its_array),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
