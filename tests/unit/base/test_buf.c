/* SPDX-License-Identifier: MIT */

/* src/base/buf.c: a queue of bytes, its maximum, and what it does without memory. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <webtransport/error.h>

#include "base/buf.h"
#include "base/mem.h"

static void test_buf_keeps_order(void **state) {
  (void)state;
  struct wt__buf buf;
  wt__buf_init(&buf, 100);
  assert_null(wt__buf_head(&buf));
  assert_int_equal(wt__buf_append(&buf, "hello ", 6), 0);
  assert_int_equal(wt__buf_append(&buf, "world", 5), 0);
  assert_int_equal(wt__buf_append(&buf, NULL, 0), 0);
  assert_int_equal(buf.len, 11);
  assert_memory_equal(wt__buf_head(&buf), "hello world", 11);
  wt__buf_take(&buf, 6);
  assert_int_equal(buf.len, 5);
  assert_memory_equal(wt__buf_head(&buf), "world", 5);
  wt__buf_take(&buf, 0);
  assert_int_equal(buf.len, 5);
  wt__buf_free(&buf);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_buf_empty_holds_no_memory(void **state) {
  (void)state;
  struct wt__buf buf;
  wt__buf_init(&buf, 100);
  assert_int_equal(wt__buf_append(&buf, "abc", 3), 0);
  assert_int_equal(wt__mem_live(), 1);
  wt__buf_take(&buf, 3);
  assert_int_equal(wt__mem_live(), 0);
  assert_int_equal(buf.len, 0);
  assert_int_equal(buf.max, 100);
  assert_int_equal(wt__buf_append(&buf, "def", 3), 0);
  wt__buf_take(&buf, 1000); /* more than there is: all of it */
  assert_int_equal(buf.len, 0);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_buf_append_is_all_or_nothing(void **state) {
  (void)state;
  struct wt__buf buf;
  uint8_t bytes[11] = {0};
  wt__buf_init(&buf, 10);
  assert_int_equal(wt__buf_append(&buf, bytes, 11), WT_ERR_AGAIN);
  assert_int_equal(wt__buf_append(&buf, bytes, 10), 0);
  assert_int_equal(wt__buf_append(&buf, bytes, 1), WT_ERR_AGAIN);
  assert_int_equal(wt__buf_append(&buf, bytes, SIZE_MAX), WT_ERR_AGAIN);
  assert_int_equal(buf.len, 10);
  wt__buf_take(&buf, 4);
  assert_int_equal(wt__buf_append(&buf, bytes, 5), WT_ERR_AGAIN);
  assert_int_equal(wt__buf_append(&buf, bytes, 4), 0);
  assert_int_equal(buf.len, 10);
  assert_true(buf.cap <= 10);
  wt__buf_free(&buf);
  wt__buf_init(&buf, 0);
  assert_int_equal(wt__buf_append(&buf, bytes, 1), WT_ERR_AGAIN);
  wt__buf_free(&buf);
  assert_int_equal(wt__mem_live(), 0);
}

/* A stream of known bytes goes through in pieces of many sizes; it must come out the same. */
static void test_buf_passes_a_stream_unchanged(void **state) {
  (void)state;
  struct wt__buf buf;
  uint32_t in = 0, out = 0, seed = 7;
  wt__buf_init(&buf, 5000);
  for (int step = 0; step < 50000; step++) {
    uint8_t piece[700];
    seed = seed * 1664525 + 1013904223;
    size_t len = seed >> 8 & 511;
    if (seed & 0x80000000) {
      for (size_t i = 0; i < len; i++) piece[i] = (uint8_t)((in + i) * 31 >> 3);
      size_t before = buf.len;
      int rc = wt__buf_append(&buf, piece, len);
      assert_int_equal(rc, before + len > 5000 ? WT_ERR_AGAIN : 0);
      if (rc == 0) in += (uint32_t)len;
    } else {
      if (len > buf.len) len = buf.len;
      for (size_t i = 0; i < len; i++) assert_int_equal(wt__buf_head(&buf)[i], (uint8_t)((out + i) * 31 >> 3));
      wt__buf_take(&buf, len);
      out += (uint32_t)len;
    }
    assert_int_equal(buf.len, in - out);
    assert_true(buf.cap <= 5000);
  }
  assert_true(out > 1000000);
  wt__buf_free(&buf);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_buf_survives_out_of_memory(void **state) {
  (void)state;
  struct wt__buf buf;
  uint8_t bytes[300];
  memset(bytes, 'x', sizeof(bytes));
  wt__buf_init(&buf, 1000);
  wt__mem_fail_after(0);
  assert_int_equal(wt__buf_append(&buf, bytes, 1), WT_ERR_NOMEM);
  assert_int_equal(wt__buf_append(&buf, "ab", 2), 0);
  wt__mem_fail_after(0);
  assert_int_equal(wt__buf_append(&buf, bytes, 300), WT_ERR_NOMEM);
  assert_int_equal(buf.len, 2);
  assert_memory_equal(wt__buf_head(&buf), "ab", 2);
  assert_int_equal(wt__buf_append(&buf, bytes, 300), 0);
  assert_int_equal(buf.len, 302);
  wt__buf_free(&buf);
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_buf_keeps_order),
      cmocka_unit_test(test_buf_empty_holds_no_memory),
      cmocka_unit_test(test_buf_append_is_all_or_nothing),
      cmocka_unit_test(test_buf_passes_a_stream_unchanged),
      cmocka_unit_test(test_buf_survives_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
