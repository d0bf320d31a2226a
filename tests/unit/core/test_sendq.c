/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/sendq.h"

static int releases;
static size_t released_bytes;

static void count_release(const uint8_t *data, size_t len, void *user_data) {
  (void)data;
  assert_ptr_equal(user_data, &releases);
  releases++;
  released_bytes += len;
}

static size_t peek_all(struct wt__sendq *q, uint8_t *dst, bool *fin) {
  struct wt__vec vecs[64];
  size_t count = wt__sendq_peek(q, vecs, 64, SIZE_MAX, fin), len = 0;
  for (size_t i = 0; i < count; i++) {
    memcpy(dst + len, vecs[i].data, vecs[i].len);
    len += vecs[i].len;
  }
  return len;
}

static void test_sendq_keeps_bytes_in_order_until_acknowledged(void **state) {
  struct wt__released released = {0};
  struct wt__sendq q;
  uint8_t in[5000], out[5000];
  size_t taken, written = 0, sent = 0;
  bool fin;
  (void)state;
  for (size_t i = 0; i < sizeof(in); i++) in[i] = (uint8_t)(i * 7 + (i >> 8));
  wt__sendq_init(&q, 100000);
  for (size_t n = 1; written < sizeof(in); n = n * 3 % 701 + 1) {
    size_t len = sizeof(in) - written < n ? sizeof(in) - written : n;
    assert_int_equal(wt__sendq_append(&q, in + written, len, false, &taken), 0);
    assert_int_equal(taken, len);
    written += len;
    size_t got = peek_all(&q, out, &fin);
    assert_int_equal(got, written - sent);
    assert_memory_equal(out, in + sent, got);
    size_t step = got < 300 ? got : 300;
    wt__sendq_sent(&q, step, false);
    sent += step;
    wt__sendq_acked(&q, sent / 2, &released);
  }
  q.fin = true;
  size_t got = peek_all(&q, out, &fin);
  assert_true(fin);
  assert_memory_equal(out, in + sent, got);
  wt__sendq_sent(&q, got, true);
  assert_false(wt__sendq_pending(&q));
  wt__sendq_acked(&q, sizeof(in), &released);
  assert_null(q.head);
  wt__sendq_drop(&q, &released);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_sendq_takes_bytes_that_are_written_in_place(void **state) {
  struct wt__gauge_sum sum = {.share = SIZE_MAX};
  struct wt__gauge gauge = {.sum = &sum};
  struct wt__released released = {0};
  struct wt__sendq q;
  uint8_t out[16];
  size_t taken;
  bool fin;
  (void)state;
  wt__sendq_init(&q, 1000);
  q.gauge = &gauge;
  assert_int_equal(wt__sendq_append(&q, "ab", 2, false, &taken), 0);
  size_t before = sum.bytes;
  wt__sendq_commit(&q, wt__sendq_prepare(&q, 500), 0); /* nothing came */
  assert_int_equal(sum.bytes, before);
  uint8_t *bytes = wt__sendq_prepare(&q, 500);
  assert_non_null(bytes);
  memcpy(bytes, "cde", 3);
  wt__sendq_commit(&q, bytes, 3);
  assert_in_range(sum.bytes, before + 500, before + 600);
  assert_int_equal(wt__sendq_append(&q, "f", 1, false, &taken), 0);
  assert_int_equal(peek_all(&q, out, &fin), 6);
  assert_memory_equal(out, "abcdef", 6);
  wt__sendq_sent(&q, 6, false);
  wt__sendq_acked(&q, 6, &released);
  assert_int_equal(sum.bytes, 0);
  wt__mem_fail_after(0);
  assert_null(wt__sendq_prepare(&q, 500));
  wt__mem_fail_after(SIZE_MAX);
  wt__sendq_drop(&q, &released);
  assert_int_equal(wt__mem_live(), 0);
}

/* Whoever sends says how much it took: never more than there was. */
static void test_sendq_does_not_count_more_than_it_held(void **state) {
  struct wt__released released = {0};
  struct wt__sendq q;
  size_t taken;
  (void)state;
  wt__sendq_init(&q, 256);
  assert_int_equal(wt__sendq_append(&q, "abc", 3, false, &taken), 0);
  wt__sendq_sent(&q, 1000, false);
  assert_int_equal(q.sent, 3);
  wt__sendq_acked(&q, 1000, &released);
  assert_int_equal(q.acked, 3);
  assert_int_equal(wt__sendq_room(&q), 256);
  assert_int_equal(wt__sendq_append(&q, "d", 1, false, &taken), 0);
  assert_true(wt__sendq_pending(&q));
  wt__sendq_drop(&q, &released);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_sendq_takes_no_more_than_its_maximum(void **state) {
  struct wt__released released = {0};
  struct wt__sendq q;
  uint8_t data[300] = {0};
  size_t taken;
  (void)state;
  wt__sendq_init(&q, 256);
  assert_int_equal(wt__sendq_append(&q, data, 300, false, &taken), 0);
  assert_int_equal(taken, 256);
  assert_int_equal(wt__sendq_room(&q), 0);
  assert_int_equal(wt__sendq_append(&q, data, 1, false, &taken), 0);
  assert_int_equal(taken, 0);
  assert_int_equal(wt__sendq_append_owned(&q, data, 1, count_release, &releases), WT_ERR_AGAIN);
  wt__sendq_sent(&q, 256, false);
  assert_int_equal(wt__sendq_room(&q), 0); /* in flight counts too */
  assert_true(wt__sendq_acked(&q, 256, &released));
  assert_int_equal(wt__sendq_room(&q), 256);
  assert_false(wt__sendq_acked(&q, 256, &released)); /* told once */
  wt__sendq_drop(&q, &released);
  assert_int_equal(wt__mem_live(), 0);
}

/* Whoever fills it to the last byte waits for room as well as whoever is cut short, and whoever asks for room in vain. */
static void test_sendq_tells_of_room_after_it_was_full(void **state) {
  struct wt__released released = {0};
  struct wt__sendq q;
  uint8_t data[300] = {0};
  size_t taken;
  int before = releases;
  (void)state;
  wt__sendq_init(&q, 256);
  assert_int_equal(wt__sendq_append(&q, data, 255, false, &taken), 0);
  assert_int_equal(wt__sendq_ask_room(&q), 1);
  wt__sendq_sent(&q, 255, false);
  assert_false(wt__sendq_acked(&q, 255, &released)); /* it never was full */
  assert_int_equal(wt__sendq_append(&q, data, 256, false, &taken), 0);
  assert_int_equal(taken, 256);
  wt__sendq_sent(&q, 256, false);
  assert_true(wt__sendq_acked(&q, 511, &released));
  assert_int_equal(wt__sendq_append_owned(&q, data, 300, count_release, &releases), 0);
  wt__sendq_sent(&q, 300, false);
  assert_true(wt__sendq_acked(&q, 811, &released));
  assert_int_equal(wt__sendq_append(&q, data, 256, true, &taken), 0); /* not an application's */
  wt__sendq_sent(&q, 256, false);
  assert_false(wt__sendq_acked(&q, 1067, &released));
  assert_int_equal(wt__sendq_append(&q, data, 256, true, &taken), 0);
  assert_int_equal(wt__sendq_ask_room(&q), 0);
  wt__sendq_sent(&q, 256, false);
  assert_true(wt__sendq_acked(&q, 1323, &released));
  wt__sendq_drop(&q, &released);
  wt__released_run(&released);
  assert_int_equal(releases, before + 1);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_sendq_releases_owned_bytes_exactly_once(void **state) {
  static const uint8_t data[1000];
  struct wt__released released = {0};
  struct wt__sendq q;
  size_t taken;
  (void)state;
  releases = 0;
  released_bytes = 0;
  wt__sendq_init(&q, 10000);
  assert_int_equal(wt__sendq_append(&q, data, 10, false, &taken), 0);
  assert_int_equal(wt__sendq_append_owned(&q, data, 1000, count_release, &releases), 0);
  assert_int_equal(wt__sendq_append_owned(&q, data, 500, count_release, &releases), 0);
  wt__sendq_sent(&q, 1010, false);
  wt__sendq_acked(&q, 1009, &released);
  wt__released_run(&released);
  assert_int_equal(releases, 0);
  wt__sendq_acked(&q, 1010, &released);
  wt__released_run(&released);
  assert_int_equal(releases, 1);
  wt__sendq_sent(&q, 200, false);
  wt__sendq_drop_unsent(&q, 0, &released); /* cuts the second in two: its release still gets all of it */
  assert_int_equal(q.end, 1210);
  wt__sendq_drop(&q, &released);
  assert_int_equal(releases, 1); /* not inside the call */
  wt__released_run(&released);
  assert_int_equal(releases, 2);
  assert_int_equal(released_bytes, 1500);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_sendq_drop_unsent_keeps_what_must_go(void **state) {
  struct wt__released released = {0};
  struct wt__sendq q;
  uint8_t out[100];
  size_t taken;
  bool fin;
  (void)state;
  wt__sendq_init(&q, 1000);
  assert_int_equal(wt__sendq_append(&q, "headbody", 8, false, &taken), 0);
  wt__sendq_drop_unsent(&q, 4, &released);
  assert_int_equal(peek_all(&q, out, &fin), 4);
  assert_memory_equal(out, "head", 4);
  wt__sendq_sent(&q, 4, false);
  assert_false(wt__sendq_pending(&q));
  wt__sendq_acked(&q, 4, &released);
  wt__sendq_drop(&q, &released);
  assert_int_equal(wt__mem_live(), 0);
}

/* Three pieces of the caller's, of 100 bytes each. */
static void owned_init(struct wt__sendq *q) {
  static const uint8_t bytes[300];
  releases = 0;
  released_bytes = 0;
  wt__sendq_init(q, 1000);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(wt__sendq_append_owned(q, bytes + 100 * i, 100, count_release, &releases), 0);
  }
}

static void test_sendq_drop_unsent_cuts_in_the_middle(void **state) {
  static const struct {
    size_t sent, keep, left, releases;
  } cases[] = {{150, 0, 150, 1}, {150, 180, 180, 1}, {100, 0, 100, 2}, {0, 0, 0, 3},
               {0, 1, 1, 2},     {0, 200, 200, 1},   {300, 0, 300, 0}, {0, 999, 300, 0}};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wt__released released = {0};
    struct wt__sendq q;
    size_t taken;
    owned_init(&q);
    wt__sendq_sent(&q, cases[i].sent, false);
    wt__sendq_drop_unsent(&q, cases[i].keep, &released);
    assert_int_equal(q.end, cases[i].left);
    wt__released_run(&released);
    assert_int_equal(releases, cases[i].releases);
    assert_int_equal(wt__sendq_pending(&q), cases[i].left > cases[i].sent);
    wt__sendq_sent(&q, cases[i].left - cases[i].sent, false);
    wt__sendq_acked(&q, cases[i].left, &released); /* what is left of a piece is given back whole */
    wt__released_run(&released);
    assert_int_equal(releases, 3);
    assert_int_equal(released_bytes, 300);
    assert_null(q.head);
    assert_int_equal(wt__sendq_append(&q, "x", 1, false, &taken), 0);
    assert_int_equal(taken, 1);
    wt__sendq_drop(&q, &released);
    assert_int_equal(wt__mem_live(), 0);
  }
}

static void test_sendq_peeks_no_more_than_is_enough(void **state) {
  struct wt__released released = {0};
  struct wt__sendq q;
  struct wt__vec vecs[4];
  bool fin;
  (void)state;
  owned_init(&q);
  q.fin = true;
  assert_int_equal(wt__sendq_peek(&q, vecs, 4, SIZE_MAX, &fin), 3);
  assert_true(fin);
  assert_int_equal(wt__sendq_peek(&q, vecs, 4, 100, &fin), 1);
  assert_false(fin);
  assert_int_equal(wt__sendq_peek(&q, vecs, 4, 101, &fin), 2);
  assert_int_equal(wt__sendq_peek(&q, vecs, 2, SIZE_MAX, &fin), 2);
  assert_false(fin);
  wt__sendq_sent(&q, 90, false);
  assert_int_equal(wt__sendq_peek(&q, vecs, 4, 10, &fin), 1);
  assert_int_equal(vecs[0].len, 10);
  assert_int_equal(wt__sendq_peek(&q, vecs, 4, 11, &fin), 2); /* what was sent does not count */
  assert_int_equal(vecs[1].len, 100);
  wt__sendq_drop(&q, &released);
  wt__released_run(&released);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_sendq_counts_no_more_than_there_is(void **state) {
  struct wt__released released = {0};
  struct wt__sendq q;
  (void)state;
  owned_init(&q);
  wt__sendq_sent(&q, 200, false);
  wt__sendq_sent(&q, 350, false);
  assert_int_equal(q.sent, 300);
  assert_false(wt__sendq_acked(&q, 250, &released));
  assert_int_equal(q.acked, 200);
  wt__sendq_acked(&q, UINT64_MAX, &released);
  assert_int_equal(q.acked, 300);
  assert_int_equal(wt__sendq_room(&q), 1000);
  wt__released_run(&released);
  assert_int_equal(releases, 3);
  assert_int_equal(wt__mem_live(), 0);
}

/* Once a write was cut short, room is told when half of the queue is free, and once. */
static void test_sendq_tells_of_room_at_half(void **state) {
  struct wt__released released = {0};
  struct wt__sendq q;
  static const uint8_t bytes[100];
  size_t taken;
  (void)state;
  wt__sendq_init(&q, 4);
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(wt__sendq_append_owned(&q, bytes, 1, count_release, &releases), 0);
  }
  assert_int_equal(wt__sendq_append_owned(&q, bytes, 1, count_release, &releases), WT_ERR_AGAIN);
  wt__sendq_sent(&q, 4, false);
  assert_false(wt__sendq_acked(&q, 1, &released));
  assert_true(wt__sendq_acked(&q, 2, &released));
  assert_false(wt__sendq_acked(&q, 4, &released));
  assert_int_equal(wt__sendq_append(&q, bytes, 3, false, &taken), 0);
  wt__sendq_sent(&q, 3, false);
  assert_false(wt__sendq_acked(&q, 7, &released)); /* it took all, and there was room for more */
  wt__sendq_drop(&q, &released);
  wt__released_run(&released);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_sendq_reports_out_of_memory(void **state) {
  struct wt__released released = {0};
  struct wt__sendq q;
  size_t taken = 99;
  (void)state;
  wt__sendq_init(&q, 1000);
  wt__mem_fail_after(0);
  assert_int_equal(wt__sendq_append(&q, "x", 1, false, &taken), WT_ERR_NOMEM);
  assert_int_equal(taken, 0);
  wt__mem_fail_after(0);
  assert_int_equal(wt__sendq_append_owned(&q, (const uint8_t *)"x", 1, count_release, &releases), WT_ERR_NOMEM);
  wt__mem_fail_after(SIZE_MAX);
  wt__sendq_drop(&q, &released);
  assert_int_equal(wt__mem_live(), 0);
}

/* When the server's memory is short, a queue takes less; what is in it already stays. */
static void test_sendq_is_shorter_under_pressure(void **state) {
  static const uint8_t data[200000];
  struct wt__gauge_sum sum = {.share = SIZE_MAX};
  struct wt__gauge gauge = {.sum = &sum};
  struct wt__released released = {0};
  struct wt__sendq q;
  size_t taken;
  (void)state;
  wt__sendq_init(&q, 150000);
  q.gauge = &gauge;
  assert_int_equal(wt__sendq_append(&q, data, 100000, false, &taken), 0);
  assert_int_equal(taken, 100000);
  assert_true(sum.bytes >= 100000);
  assert_int_equal(gauge.queued, sum.bytes);
  assert_int_equal(gauge.bytes, 0);
  sum.pressure = WT__PRESSURE_HIGH;
  assert_int_equal(wt__sendq_room(&q), 0);
  assert_int_equal(wt__sendq_append(&q, data, 100, false, &taken), 0);
  assert_int_equal(taken, 0);
  wt__sendq_sent(&q, 100000, false);
  assert_false(wt__sendq_acked(&q, 60000, &released));
  assert_true(wt__sendq_acked(&q, 100000, &released)); /* told that there is room */
  assert_int_equal(wt__sendq_room(&q), 65536);
  sum.pressure = WT__PRESSURE_FULL;
  assert_int_equal(wt__sendq_append(&q, data, sizeof(data), false, &taken), 0);
  assert_int_equal(taken, 16384);
  assert_int_equal(wt__sendq_append_owned(&q, data, 10, count_release, &releases), WT_ERR_AGAIN);
  sum.pressure = WT__PRESSURE_NONE;
  assert_int_equal(wt__sendq_append_owned(&q, data, 10, count_release, &releases), 0);
  assert_true(sum.bytes < 16384 + 1000);
  wt__sendq_drop(&q, &released);
  assert_int_equal(sum.bytes, 0);
  wt__released_run(&released);
  wt__sendq_reset(&q);
  assert_ptr_equal(q.gauge, &gauge);
  assert_int_equal(wt__sendq_room(&q), 150000);
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sendq_keeps_bytes_in_order_until_acknowledged),
      cmocka_unit_test(test_sendq_takes_bytes_that_are_written_in_place),
      cmocka_unit_test(test_sendq_takes_no_more_than_its_maximum),
      cmocka_unit_test(test_sendq_does_not_count_more_than_it_held),
      cmocka_unit_test(test_sendq_tells_of_room_after_it_was_full),
      cmocka_unit_test(test_sendq_releases_owned_bytes_exactly_once),
      cmocka_unit_test(test_sendq_drop_unsent_keeps_what_must_go),
      cmocka_unit_test(test_sendq_drop_unsent_cuts_in_the_middle),
      cmocka_unit_test(test_sendq_peeks_no_more_than_is_enough),
      cmocka_unit_test(test_sendq_counts_no_more_than_there_is),
      cmocka_unit_test(test_sendq_tells_of_room_at_half),
      cmocka_unit_test(test_sendq_reports_out_of_memory),
      cmocka_unit_test(test_sendq_is_shorter_under_pressure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
