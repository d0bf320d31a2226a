/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/sending.h"

#define HEADER 3 /* bytes of the stream header in these tests */

static struct wt__released released;

/* A part with its header queued, and `len` bytes behind it. */
static void sending_with(struct wt__sending *sending, size_t len) {
  static const uint8_t bytes[64];
  size_t taken;
  wt__sending_init(sending, true, 64);
  assert_int_equal(wt__sending_add_header(sending, bytes, HEADER), 0);
  assert_int_equal(wt__sendq_append(&sending->queue, bytes, len, false, &taken), 0);
  assert_int_equal(taken, len);
  assert_int_equal(sending->state, WT__SENDING_SEND);
}

static void sending_free(struct wt__sending *sending) {
  wt__sendq_drop(&sending->queue, &released);
  wt__released_run(&released);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_sending_that_does_not_exist_has_no_transitions(void **state) {
  struct wt__sending sending;
  (void)state;
  wt__sending_init(&sending, false, 64);
  wt__sending_end(&sending);
  assert_false(wt__sending_reset(&sending, 7, 0, &released));
  wt__sending_reset_sent(&sending);
  wt__sending_closed(&sending);
  assert_int_equal(sending.state, WT__SENDING_NONE);
  assert_false(wt__sending_is_open(&sending));
  assert_false(wt__sending_is_writable(&sending));
  assert_false(wt__sending_is_ended(&sending));
  assert_false(wt__sending_has_output(&sending));
}

static void test_sending_ends_in_order(void **state) {
  struct wt__sending sending;
  (void)state;
  sending_with(&sending, 10);
  assert_true(wt__sending_is_writable(&sending));
  assert_true(wt__sending_is_open(&sending));
  assert_false(wt__sending_is_ended(&sending));
  wt__sending_end(&sending);
  assert_int_equal(sending.state, WT__SENDING_DATA_SENT);
  assert_false(wt__sending_is_writable(&sending));
  assert_true(wt__sending_is_open(&sending));
  assert_true(wt__sending_is_ended(&sending));
  assert_true(wt__sending_has_output(&sending));
  assert_int_equal(wt__sending_sent(&sending, HEADER + 10, false), 10);
  assert_true(wt__sending_has_output(&sending)); /* the FIN */
  assert_int_equal(wt__sending_sent(&sending, 0, true), 0);
  assert_false(wt__sending_has_output(&sending));
  assert_true(wt__sending_waits_for_peer(&sending));
  assert_false(wt__sending_acked(&sending, HEADER + 10, &released));
  assert_false(wt__sending_waits_for_peer(&sending));
  wt__sending_closed(&sending);
  assert_int_equal(sending.state, WT__SENDING_DATA_RECVD);
  assert_true(wt__sending_is_ended(&sending));
  assert_false(wt__sending_is_open(&sending));
  sending_free(&sending);
}

static void test_sending_counts_bytes_behind_the_header(void **state) {
  struct wt__sending sending;
  (void)state;
  sending_with(&sending, 10);
  assert_int_equal(wt__sending_header_left(&sending), HEADER);
  assert_int_equal(wt__sending_sent(&sending, 2, false), 0);
  assert_int_equal(wt__sending_header_left(&sending), 1);
  assert_int_equal(wt__sending_sent(&sending, 1, false), 0);
  assert_int_equal(wt__sending_header_left(&sending), 0);
  assert_int_equal(wt__sending_sent(&sending, 4, false), 4);
  assert_int_equal(wt__sending_header_left(&sending), 0);
  assert_int_equal(wt__sending_sent(&sending, 100, false), 6); /* no more than there are */
  sending_free(&sending);
  sending_with(&sending, 10);
  assert_int_equal(wt__sending_sent(&sending, HEADER + 4, false), 4); /* both at once */
  sending_free(&sending);
}

static void test_sending_says_when_there_is_room_again(void **state) {
  struct wt__sending sending;
  (void)state;
  sending_with(&sending, 61); /* full */
  assert_int_equal(wt__sendq_ask_room(&sending.queue), 0);
  wt__sending_sent(&sending, 64, false);
  assert_false(wt__sending_acked(&sending, 2, &released));
  assert_int_equal(sending.acked, 2);
  assert_true(wt__sending_acked(&sending, 64, &released));
  assert_false(wt__sending_acked(&sending, 10, &released)); /* an old acknowledgement takes nothing back */
  assert_int_equal(sending.acked, 64);
  sending_free(&sending);
  sending_with(&sending, 61);
  assert_int_equal(wt__sendq_ask_room(&sending.queue), 0);
  wt__sending_end(&sending);
  wt__sending_sent(&sending, 64, true);
  assert_false(wt__sending_acked(&sending, 64, &released)); /* nobody may write any more */
  sending_free(&sending);
}

static void test_sending_reset_waits_until_the_header_is_acknowledged(void **state) {
  struct wt__sending sending;
  (void)state;
  sending_with(&sending, 10);
  assert_false(wt__sending_reset(&sending, 7, 0, &released));
  assert_int_equal(sending.state, WT__SENDING_RESET_QUEUED);
  assert_int_equal(sending.reset_code, 7);
  assert_int_equal(sending.queue.end, HEADER); /* the peer needs no more */
  assert_true(wt__sending_has_output(&sending));
  assert_true(wt__sending_waits_for_peer(&sending));
  wt__sending_sent(&sending, HEADER, false);
  assert_false(wt__sending_reset(&sending, 7, 0, &released));
  wt__sending_acked(&sending, HEADER - 1, &released);
  assert_false(wt__sending_reset(&sending, 8, 0, &released));
  wt__sending_acked(&sending, HEADER, &released);
  assert_true(wt__sending_reset(&sending, sending.reset_code, 0, &released));
  assert_int_equal(sending.reset_code, 8);
  assert_int_equal(sending.state, WT__SENDING_RESET_SENT);
  assert_false(wt__sending_reset(&sending, 9, 0, &released)); /* once is enough */
  assert_int_equal(sending.reset_code, 8);
  wt__sending_closed(&sending);
  assert_int_equal(sending.state, WT__SENDING_RESET_RECVD);
  sending_free(&sending);
}

static void test_sending_reset_at_waits_until_its_bytes_are_sent(void **state) {
  struct wt__sending sending;
  (void)state;
  sending_with(&sending, 10);
  wt__sending_sent(&sending, 1, false);
  assert_false(wt__sending_reset(&sending, 7, HEADER + 1, &released));
  assert_int_equal(sending.state, WT__SENDING_RESET_QUEUED);
  assert_int_equal(sending.queue.end, HEADER + 1);
  wt__sending_sent(&sending, HEADER, false);
  assert_true(wt__sending_reset(&sending, 7, HEADER + 1, &released));
  assert_int_equal(sending.state, WT__SENDING_RESET_SENT);
  assert_int_equal(sending.queue.end, HEADER + 1); /* QUIC may send them again */
  assert_false(wt__sending_waits_for_peer(&sending));
  sending_free(&sending);
}

static void test_sending_reset_at_takes_no_more_than_there_is(void **state) {
  struct wt__sending sending;
  (void)state;
  sending_with(&sending, 0);
  assert_false(wt__sending_reset(&sending, 7, HEADER + 1, &released)); /* the header is not sent */
  wt__sending_sent(&sending, HEADER, false);
  assert_true(wt__sending_reset(&sending, 7, HEADER + 1, &released));
  sending_free(&sending);
  sending_with(&sending, 10);
  wt__sending_sent(&sending, HEADER + 5, false);
  assert_true(wt__sending_reset(&sending, 7, HEADER + 1, &released)); /* more was sent than is needed */
  assert_int_equal(sending.queue.end, HEADER + 5);
  sending_free(&sending);
}

static void test_sending_reset_takes_an_unsent_fin_back(void **state) {
  struct wt__sending sending;
  (void)state;
  sending_with(&sending, 10);
  wt__sending_end(&sending);
  assert_false(wt__sending_reset(&sending, 7, 0, &released));
  assert_false(sending.queue.fin);
  assert_false(wt__sending_is_ended(&sending));
  sending_free(&sending);
  sending_with(&sending, 10);
  wt__sending_end(&sending);
  wt__sending_sent(&sending, HEADER + 10, true);
  assert_false(wt__sending_reset(&sending, 7, 0, &released));
  assert_true(sending.queue.fin); /* this one has left */
  sending_free(&sending);
}

static void test_sending_reset_of_the_transport_comes_in_each_state(void **state) {
  struct wt__sending sending;
  (void)state;
  sending_with(&sending, 10);
  wt__sending_reset_sent(&sending);
  assert_int_equal(sending.state, WT__SENDING_RESET_SENT);
  assert_false(wt__sending_has_output(&sending)); /* whatever is in the queue */
  wt__sending_end(&sending);
  assert_int_equal(sending.state, WT__SENDING_RESET_SENT);
  sending_free(&sending);
  sending_with(&sending, 10);
  wt__sending_end(&sending);
  wt__sending_reset_sent(&sending);
  assert_int_equal(sending.state, WT__SENDING_RESET_SENT);
  sending_free(&sending);
  sending_with(&sending, 10);
  wt__sending_reset(&sending, 7, 0, &released);
  wt__sending_reset_sent(&sending);
  assert_int_equal(sending.state, WT__SENDING_RESET_SENT);
  sending_free(&sending);
  sending_with(&sending, 10);
  wt__sending_end(&sending);
  wt__sending_closed(&sending);
  wt__sending_reset_sent(&sending);
  assert_int_equal(sending.state, WT__SENDING_DATA_RECVD); /* it is over */
  sending_free(&sending);
}

static void test_sending_closed_without_an_end_was_reset(void **state) {
  struct wt__sending sending;
  (void)state;
  sending_with(&sending, 10);
  wt__sending_closed(&sending);
  assert_int_equal(sending.state, WT__SENDING_RESET_RECVD);
  assert_false(wt__sending_is_open(&sending));
  sending_free(&sending);
}

static void test_sending_header_needs_no_room_in_the_queue(void **state) {
  struct wt__sending sending;
  (void)state;
  wt__sending_init(&sending, true, HEADER - 1);
  assert_int_equal(wt__sending_add_header(&sending, (const uint8_t *)"abc", HEADER), 0);
  assert_int_equal(sending.queue.end, HEADER);
  sending_free(&sending);
}

static void test_sending_header_without_memory(void **state) {
  struct wt__sending sending;
  (void)state;
  wt__sending_init(&sending, true, 64);
  wt__mem_fail_after(0);
  assert_int_equal(wt__sending_add_header(&sending, (const uint8_t *)"abc", HEADER), WT_ERR_NOMEM);
  wt__mem_fail_after(SIZE_MAX);
  sending_free(&sending);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sending_that_does_not_exist_has_no_transitions),
      cmocka_unit_test(test_sending_ends_in_order),
      cmocka_unit_test(test_sending_counts_bytes_behind_the_header),
      cmocka_unit_test(test_sending_says_when_there_is_room_again),
      cmocka_unit_test(test_sending_reset_waits_until_the_header_is_acknowledged),
      cmocka_unit_test(test_sending_reset_at_waits_until_its_bytes_are_sent),
      cmocka_unit_test(test_sending_reset_at_takes_no_more_than_there_is),
      cmocka_unit_test(test_sending_reset_takes_an_unsent_fin_back),
      cmocka_unit_test(test_sending_reset_of_the_transport_comes_in_each_state),
      cmocka_unit_test(test_sending_closed_without_an_end_was_reset),
      cmocka_unit_test(test_sending_header_needs_no_room_in_the_queue),
      cmocka_unit_test(test_sending_header_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
