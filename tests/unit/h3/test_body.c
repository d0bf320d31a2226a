/* SPDX-License-Identifier: MIT */
/* src/h3/body.c: the bytes of a body are read, kept or dropped, and consumed exactly once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "h3/body.h"
#include "h3/conn_state.h"

static uint64_t consumed;
static char told[256]; /* "'bytes' fin; " */

static void fake_consume(void *ctx, int64_t id, uint64_t len) {
  assert_ptr_equal(ctx, &consumed);
  assert_int_equal(id, 4);
  assert_true(len > 0);
  consumed += len;
}

static void tell(void *message, const uint8_t *data, size_t len, bool fin) {
  size_t used = strlen(told);
  assert_ptr_equal(message, told);
  snprintf(told + used, sizeof(told) - used, "'%.*s'%s; ", (int)len, (const char *)data, fin ? " fin" : "");
}

static void expect(const char *text, uint64_t len) {
  assert_string_equal(told, text);
  assert_int_equal(consumed, len);
  told[0] = '\0';
  consumed = 0;
}

static const struct wt_transport below = {.consume = fake_consume};
static struct wt__h3_conn conn;

static struct wt__body_in body_new(size_t max) {
  struct wt__body_in in;
  wt__body_in_init(&in, max, tell, told);
  conn = (struct wt__h3_conn){.transport = &below, .ctx = &consumed};
  in.conn = &conn;
  in.id = 4;
  expect("", 0);
  return in;
}

static int recv_text(struct wt__body_in *in, const char *text, bool wanted, bool now) {
  return wt__body_in_recv(in, (const uint8_t *)text, strlen(text), wanted, now);
}

static void test_body_told_at_once_is_consumed(void **state) {
  struct wt__body_in in = body_new(100);
  (void)state;
  assert_int_equal(recv_text(&in, "ab", true, true), 0);
  expect("'ab'; ", 2);
  assert_int_equal(in.received, 2);
  in.fin = true;
  wt__body_in_deliver(&in);
  expect("'' fin; ", 0);
  wt__body_in_deliver(&in); /* once */
  expect("", 0);
}

static void test_body_that_is_kept_is_consumed_when_it_is_told(void **state) {
  struct wt__body_in in = body_new(100);
  (void)state;
  assert_int_equal(recv_text(&in, "ab", true, false), 0);
  assert_int_equal(recv_text(&in, "cd", true, true), 0); /* behind what is kept */
  expect("", 0);
  wt__body_in_deliver(&in);
  expect("'abcd'; ", 4);
  wt__body_in_deliver(&in);
  expect("", 0);
  assert_int_equal(recv_text(&in, "ef", true, false), 0);
  in.fin = true;
  wt__body_in_deliver(&in);
  expect("'ef' fin; ", 2);
  wt__body_in_deliver(&in);
  expect("", 0);
  assert_int_equal(in.received, 6);
}

static void test_body_that_nobody_wants_is_consumed(void **state) {
  struct wt__body_in in = body_new(100);
  (void)state;
  assert_int_equal(recv_text(&in, "ab", false, true), 0);
  expect("", 2);
  in.discard = true;
  assert_int_equal(recv_text(&in, "abc", true, true), 0);
  expect("", 3);
  assert_int_equal(in.received, 5);
}

static void test_body_that_is_dropped_is_consumed(void **state) {
  struct wt__body_in in = body_new(100);
  (void)state;
  assert_int_equal(recv_text(&in, "abc", true, false), 0);
  wt__body_in_drop(&in);
  expect("", 3);
  wt__body_in_drop(&in);
  expect("", 0);
  wt__body_in_deliver(&in);
  expect("", 0);
}

static void test_body_beyond_its_maximum_is_an_error_and_consumed(void **state) {
  struct wt__body_in in = body_new(3);
  (void)state;
  assert_int_equal(recv_text(&in, "abc", true, false), 0);
  assert_int_equal(recv_text(&in, "d", true, false), WT_ERR_NOMEM);
  expect("", 1);
  wt__body_in_drop(&in);
  expect("", 3);
}

static void test_body_consumes_nothing_of_a_connection_that_closes(void **state) {
  struct wt__body_in in = body_new(100);
  (void)state;
  conn.closing = true;
  assert_int_equal(recv_text(&in, "ab", true, true), 0);
  expect("'ab'; ", 0);
  in.conn = NULL;
  assert_int_equal(recv_text(&in, "ab", true, true), 0);
  expect("'ab'; ", 0);
}

static void test_body_out_is_read_in_pieces_and_put_whole_or_not(void **state) {
  struct wt__body_out out = {0};
  struct wt__released released = {0};
  nghttp3_vec vecs[4];
  uint32_t flags = 0;
  (void)state;
  wt__sendq_init(&out.queue, 4);
  assert_int_equal(wt__body_read(&out.queue, vecs, 4, &flags), NGHTTP3_ERR_WOULDBLOCK);
  assert_int_equal(wt__body_out_put(&out, "more than four", 14, &released), 0);
  assert_int_equal(wt__body_read(&out.queue, vecs, 4, &flags), 1);
  assert_int_equal(vecs[0].len, 14);
  assert_int_equal(flags, 0);
  assert_int_equal(wt__body_read(&out.queue, vecs, 4, &flags), NGHTTP3_ERR_WOULDBLOCK);
  out.queue.fin = true;
  assert_int_equal(wt__body_read(&out.queue, vecs, 4, &flags), 0);
  assert_int_equal(flags, NGHTTP3_DATA_FLAG_EOF);
  assert_false(wt__body_out_acked(&out, 14, &released)); /* nobody waits for room */
  assert_false(out.writable_pending);
  assert_int_equal(out.acked, 14);
  wt__sendq_drop(&out.queue, &released);
  wt__sendq_reset(&out.queue); /* as it was born */
  assert_int_equal(out.queue.sent + out.queue.end + out.queue.acked, 0);
  assert_false(out.queue.fin);
  assert_int_equal(wt__sendq_room(&out.queue), 4);

  wt__mem_fail_after(0);
  assert_int_equal(wt__body_out_put(&out, "abc", 3, &released), WT_ERR_NOMEM);
  wt__mem_fail_after(SIZE_MAX);
  assert_int_equal(wt__sendq_room(&out.queue), 4);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_body_out_tells_that_there_is_room(void **state) {
  struct wt__body_out out = {0};
  struct wt__released released = {0};
  nghttp3_vec vecs[4];
  uint32_t flags = 0;
  size_t taken;
  (void)state;
  wt__sendq_init(&out.queue, 4);
  assert_int_equal(wt__sendq_append(&out.queue, "abcdef", 6, false, &taken), 0);
  assert_int_equal(taken, 4);
  assert_int_equal(wt__body_read(&out.queue, vecs, 4, &flags), 1);
  assert_true(wt__body_out_acked(&out, 4, &released));
  assert_true(out.writable_pending);
  wt__sendq_drop(&out.queue, &released);
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_body_told_at_once_is_consumed),
      cmocka_unit_test(test_body_that_is_kept_is_consumed_when_it_is_told),
      cmocka_unit_test(test_body_that_nobody_wants_is_consumed),
      cmocka_unit_test(test_body_that_is_dropped_is_consumed),
      cmocka_unit_test(test_body_beyond_its_maximum_is_an_error_and_consumed),
      cmocka_unit_test(test_body_consumes_nothing_of_a_connection_that_closes),
      cmocka_unit_test(test_body_out_is_read_in_pieces_and_put_whole_or_not),
      cmocka_unit_test(test_body_out_tells_that_there_is_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
