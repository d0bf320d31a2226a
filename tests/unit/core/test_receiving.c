/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "core/receiving.h"

#define HEADER 3 /* bytes of the stream header in these tests */

/* A part of a peer's stream that has received `received` bytes, of which the application has not read `kept`. */
static void receiving_with(struct wt__receiving *receiving, uint64_t received, size_t kept) {
  static const uint8_t bytes[64];
  wt__receiving_init(receiving, true);
  receiving->header_len = HEADER;
  receiving->received = received;
  if (kept > 0) assert_int_equal(wt__buf_append(&receiving->kept, bytes, kept), 0);
  assert_int_equal(receiving->state, WT__RECEIVING_RECV);
}

static void receiving_free(struct wt__receiving *receiving) {
  wt__receiving_drop(receiving);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_receiving_that_does_not_exist_has_no_transitions(void **state) {
  struct wt__receiving receiving;
  (void)state;
  wt__receiving_init(&receiving, false);
  wt__receiving_fin(&receiving);
  assert_int_equal(wt__receiving_reset(&receiving, 0), 0);
  assert_false(wt__receiving_emptied(&receiving));
  wt__receiving_reset_read(&receiving);
  assert_false(wt__receiving_stop(&receiving));
  assert_int_equal(receiving.state, WT__RECEIVING_NONE);
  assert_false(wt__receiving_is_open(&receiving));
  assert_false(wt__receiving_has_input(&receiving));
}

static void test_receiving_reads_to_the_end(void **state) {
  struct wt__receiving receiving;
  (void)state;
  receiving_with(&receiving, 0, 0);
  assert_true(wt__receiving_is_open(&receiving));
  assert_false(wt__receiving_has_input(&receiving));
  wt__receiving_fin(&receiving);
  assert_int_equal(receiving.state, WT__RECEIVING_DATA_RECVD);
  assert_true(wt__receiving_is_open(&receiving));
  assert_true(wt__receiving_has_input(&receiving)); /* the FIN */
  wt__receiving_deliver_begin(&receiving, 0, true);
  assert_int_equal(receiving.state, WT__RECEIVING_DATA_READ);
  assert_int_equal(wt__receiving_deliver_end(&receiving, true), 0);
  assert_int_equal(receiving.state, WT__RECEIVING_DATA_READ);
  assert_false(wt__receiving_is_open(&receiving));
  wt__receiving_fin(&receiving);
  assert_int_equal(receiving.state, WT__RECEIVING_DATA_READ);
  receiving_free(&receiving);
}

static void test_receiving_takes_unread_bytes_back_inside_on_data_only(void **state) {
  struct wt__receiving receiving;
  (void)state;
  receiving_with(&receiving, 10, 0);
  assert_int_equal(wt__receiving_unread(&receiving, 0), WT_ERR_STATE);
  wt__receiving_deliver_begin(&receiving, 10, false);
  assert_int_equal(wt__receiving_unread(&receiving, 11), WT_ERR_INVALID);
  assert_int_equal(receiving.delivery, WT__DELIVERY_RUNS);
  assert_int_equal(wt__receiving_unread(&receiving, 10), 0);
  assert_int_equal(wt__receiving_unread(&receiving, 4), 0); /* the last word counts */
  assert_int_equal(receiving.delivery, WT__DELIVERY_GAVE_BACK);
  assert_int_equal(wt__receiving_deliver_end(&receiving, false), 6);
  assert_int_equal(wt__receiving_unread(&receiving, 0), WT_ERR_STATE);
  assert_int_equal(receiving.state, WT__RECEIVING_RECV);
  wt__receiving_deliver_begin(&receiving, 5, false);
  assert_int_equal(wt__receiving_deliver_end(&receiving, false), 5); /* forgotten since */
  receiving_free(&receiving);
}

static void test_receiving_takes_a_fin_back(void **state) {
  struct wt__receiving receiving;
  (void)state;
  receiving_with(&receiving, 10, 0);
  wt__receiving_deliver_begin(&receiving, 10, true);
  assert_int_equal(wt__receiving_unread(&receiving, 0), 0);
  assert_int_equal(wt__receiving_deliver_end(&receiving, true), 10);
  assert_int_equal(receiving.state, WT__RECEIVING_DATA_RECVD);
  wt__receiving_deliver_begin(&receiving, 0, true);
  assert_int_equal(wt__receiving_deliver_end(&receiving, true), 0);
  assert_int_equal(receiving.state, WT__RECEIVING_DATA_READ);
  receiving_free(&receiving);
}

static void test_receiving_stopped_inside_on_data_keeps_nothing(void **state) {
  struct wt__receiving receiving;
  (void)state;
  receiving_with(&receiving, 10, 0);
  wt__receiving_deliver_begin(&receiving, 10, false);
  assert_int_equal(wt__receiving_unread(&receiving, 4), 0);
  assert_true(wt__receiving_stop(&receiving));
  assert_int_equal(wt__receiving_deliver_end(&receiving, false), 10);
  assert_int_equal(receiving.unread, 0);
  assert_int_equal(receiving.state, WT__RECEIVING_STOPPED);
  receiving_free(&receiving);
}

static void test_receiving_reset_drops_what_is_kept(void **state) {
  struct wt__receiving receiving;
  (void)state;
  receiving_with(&receiving, 10, 6);
  assert_int_equal(wt__receiving_reset(&receiving, 10), 6);
  assert_int_equal(receiving.kept.len, 0);
  assert_int_equal(receiving.state, WT__RECEIVING_RESET_RECVD);
  assert_false(wt__receiving_is_open(&receiving));
  assert_false(wt__receiving_stop(&receiving));
  assert_int_equal(receiving.state, WT__RECEIVING_RESET_RECVD); /* the application still hears of it */
  wt__receiving_reset_read(&receiving);
  assert_int_equal(receiving.state, WT__RECEIVING_RESET_READ);
  assert_int_equal(wt__receiving_reset(&receiving, 10), 0);
  assert_int_equal(receiving.state, WT__RECEIVING_RESET_READ);
  receiving_free(&receiving);
}

static void test_receiving_reset_takes_the_place_of_a_fin(void **state) {
  struct wt__receiving receiving;
  (void)state;
  receiving_with(&receiving, 10, 0);
  wt__receiving_fin(&receiving);
  assert_int_equal(wt__receiving_reset(&receiving, 10), 0);
  assert_int_equal(receiving.state, WT__RECEIVING_RESET_RECVD);
  assert_false(wt__receiving_has_input(&receiving));
  receiving_free(&receiving);
}

static void test_receiving_reset_waits_for_promised_bytes(void **state) {
  struct wt__receiving receiving;
  (void)state;
  receiving_with(&receiving, 10, 6);                 /* four are read */
  wt__receiving_promise(&receiving, HEADER + 4 + 5); /* one of the six is not promised */
  assert_int_equal(wt__receiving_reset(&receiving, 10), 1);
  assert_int_equal(receiving.kept.len, 5);
  assert_int_equal(receiving.state, WT__RECEIVING_SIZE_KNOWN);
  assert_true(wt__receiving_is_open(&receiving));
  assert_true(wt__receiving_has_input(&receiving));
  wt__receiving_drop(&receiving);
  assert_true(wt__receiving_emptied(&receiving));
  assert_int_equal(receiving.state, WT__RECEIVING_RESET_RECVD);
  assert_false(wt__receiving_emptied(&receiving));
  receiving_free(&receiving);
  receiving_with(&receiving, 10, 6);
  wt__receiving_promise(&receiving, HEADER + 20); /* all of them */
  assert_int_equal(wt__receiving_reset(&receiving, 10), 0);
  assert_int_equal(receiving.kept.len, 6);
  receiving_free(&receiving);
  receiving_with(&receiving, 10, 6);
  wt__receiving_promise(&receiving, HEADER + 4); /* what is promised is read */
  assert_int_equal(wt__receiving_reset(&receiving, 10), 6);
  assert_int_equal(receiving.state, WT__RECEIVING_RESET_RECVD);
  receiving_free(&receiving);
  receiving_with(&receiving, 10, 0);
  wt__receiving_promise(&receiving, HEADER + 20); /* nothing is kept: nothing to wait for */
  assert_int_equal(wt__receiving_reset(&receiving, 10), 0);
  assert_int_equal(receiving.state, WT__RECEIVING_RESET_RECVD);
  receiving_free(&receiving);
  receiving_with(&receiving, 10, 1);
  wt__receiving_promise(&receiving, HEADER + 20);
  assert_int_equal(wt__receiving_reset(&receiving, 10), 0);
  assert_int_equal(receiving.state, WT__RECEIVING_SIZE_KNOWN);
  receiving_free(&receiving);
  receiving_with(&receiving, 10, 10);
  wt__receiving_promise(&receiving, HEADER - 1); /* a part of the header */
  assert_int_equal(receiving.promised, 0);
  assert_int_equal(wt__receiving_reset(&receiving, 10), 10);
  receiving_free(&receiving);
}

static void test_receiving_asks_the_peer_to_stop_unless_it_has_ended(void **state) {
  struct wt__receiving receiving;
  (void)state;
  receiving_with(&receiving, 10, 6);
  assert_true(wt__receiving_stop(&receiving));
  assert_int_equal(receiving.state, WT__RECEIVING_STOPPED);
  assert_int_equal(wt__receiving_drop(&receiving), 6);
  assert_false(wt__receiving_stop(&receiving)); /* once */
  wt__receiving_fin(&receiving);
  assert_int_equal(wt__receiving_reset(&receiving, 10), 0);
  assert_int_equal(receiving.state, WT__RECEIVING_STOPPED);
  receiving_free(&receiving);
  receiving_with(&receiving, 10, 6);
  wt__receiving_fin(&receiving);
  assert_false(wt__receiving_stop(&receiving));
  assert_int_equal(receiving.state, WT__RECEIVING_STOPPED);
  receiving_free(&receiving);
  receiving_with(&receiving, 10, 6);
  wt__receiving_promise(&receiving, HEADER + 10);
  wt__receiving_reset(&receiving, 10);
  assert_true(wt__receiving_stop(&receiving)); /* the reset may not have reached QUIC yet */
  receiving_free(&receiving);
}

static void test_receiving_knows_what_is_missing(void **state) {
  struct wt__receiving receiving;
  (void)state;
  receiving_with(&receiving, 10, 0);
  assert_int_equal(wt__receiving_missing(&receiving, HEADER + 15), 5);
  assert_int_equal(wt__receiving_missing(&receiving, HEADER + 10), 0);
  assert_int_equal(wt__receiving_missing(&receiving, 1), 0);
  receiving_free(&receiving);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_receiving_that_does_not_exist_has_no_transitions),
      cmocka_unit_test(test_receiving_reads_to_the_end),
      cmocka_unit_test(test_receiving_takes_unread_bytes_back_inside_on_data_only),
      cmocka_unit_test(test_receiving_takes_a_fin_back),
      cmocka_unit_test(test_receiving_stopped_inside_on_data_keeps_nothing),
      cmocka_unit_test(test_receiving_reset_drops_what_is_kept),
      cmocka_unit_test(test_receiving_reset_takes_the_place_of_a_fin),
      cmocka_unit_test(test_receiving_reset_waits_for_promised_bytes),
      cmocka_unit_test(test_receiving_asks_the_peer_to_stop_unless_it_has_ended),
      cmocka_unit_test(test_receiving_knows_what_is_missing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
