/* SPDX-License-Identifier: MIT */

/*
 * src/quic/reset_at_send.c: what becomes of one reset, step by step, with acknowledgements and losses in every
 * order. tests/loopback/test_reset_at_send.c has whole connections.
 */

#include "conn_fixture.h"

static uint64_t number;

/* Whether there is a reset to send; it then counts as sent. */
static bool sends(void) {
  uint8_t carrier[WT__CARRIER_MAX];
  if (!wt__reset_at_send_next(conn, carrier, &number)) return false;
  wt__reset_at_send_sent(conn);
  return true;
}

static void test_reset_at_send_repeats_what_was_lost(void **state) {
  (void)state;
  assert_int_equal(wt__reset_at_send_reset(conn, 15, 42, 3, 10), 0);
  assert_int_equal(wt__reset_at_send_reset(conn, 15, 43, 1, 10), 0); /* the first one counts */
  assert_true(wt__reset_at_send_has(conn, 15));
  assert_true(sends());
  assert_false(sends());
  wt__reset_at_send_lost(conn, number);
  wt__reset_at_send_lost(conn, number);
  assert_true(sends());
  assert_false(sends());
  assert_int_equal(wt__reset_at_send_next_fin(conn), -1);
  wt__reset_at_send_acked(conn, number);
  assert_int_equal(wt__reset_at_send_next_fin(conn), 15);
  wt__reset_at_send_ended(conn);
  assert_int_equal(wt__reset_at_send_next_fin(conn), -1);
  wt__reset_at_send_closed(conn, 15);
  assert_false(wt__reset_at_send_has(conn, 15));
}

static void test_reset_at_send_drops_the_repetition_after_a_late_acknowledgement(void **state) {
  (void)state;
  assert_int_equal(wt__reset_at_send_reset(conn, 15, 42, 3, 10), 0);
  assert_true(sends());
  wt__reset_at_send_lost(conn, number);
  wt__reset_at_send_acked(conn, number);
  assert_false(sends());
  assert_int_equal(wt__reset_at_send_next_fin(conn), 15);
  wt__reset_at_send_lost(conn, number);
  wt__reset_at_send_acked(conn, number);
  assert_false(sends());
  assert_int_equal(wt__reset_at_send_next_fin(conn), 15);
}

static void test_reset_at_send_repeats_after_a_long_silence(void **state) {
  (void)state;
  assert_true(wt__reset_at_send_expiry(conn) == UINT64_MAX);
  assert_int_equal(wt__reset_at_send_reset(conn, 15, 42, 3, 10), 0);
  assert_true(sends());
  uint64_t expiry = wt__reset_at_send_expiry(conn);
  assert_true(expiry > endpoint->now && expiry < endpoint->now + 60000 * MS);
  wt__reset_at_send_expire(conn);
  assert_false(sends());
  endpoint->now = expiry;
  wt__reset_at_send_expire(conn);
  assert_true(sends());
  assert_true(wt__reset_at_send_expiry(conn) > endpoint->now);
  wt__reset_at_send_acked(conn, number);
  assert_true(wt__reset_at_send_expiry(conn) == UINT64_MAX);
}

static void test_reset_at_send_ignores_the_fate_of_others(void **state) {
  (void)state;
  wt__reset_at_send_acked(conn, 0);
  wt__reset_at_send_lost(conn, 0);
  assert_int_equal(wt__reset_at_send_reset(conn, 15, 42, 3, 10), 0);
  assert_true(sends());
  wt__reset_at_send_acked(conn, 15);         /* a datagram of the application */
  wt__reset_at_send_acked(conn, number + 4); /* another stream's, long closed */
  assert_int_equal(wt__reset_at_send_next_fin(conn), -1);
  wt__reset_at_send_closed(conn, 19);
  wt__reset_at_send_closed(conn, 15);
  wt__reset_at_send_lost(conn, number);
  assert_false(sends());
}

static void test_reset_at_send_needs_the_peers_word(void **state) {
  (void)state;
  assert_false(wt__reset_at_send_possible(conn)); /* ngtcp2's client does not know the parameter */
}

static void test_reset_at_send_encrypts_other_packets_as_they_are(void **state) {
  (void)state;
  uint8_t carrier[WT__CARRIER_MAX], packet[2 + WT__CARRIER_MAX], before[sizeof(packet)];
  assert_int_equal(wt__reset_at_send_reset(conn, 15, 42, 3, 10), 0);
  size_t len = wt__reset_at_send_next(conn, carrier, &number);
  packet[0] = 0x31;
  packet[1] = (uint8_t)len;
  memcpy(packet + 2, carrier, len);
  memcpy(before, packet, 2 + len);
  wt__reset_at_send_encrypt(conn, packet, 2 + len);
  assert_memory_equal(packet, before, 2 + len);
  wt__reset_at_send_expect(conn);
  wt__reset_at_send_encrypt(conn, packet, 2 + len);
  assert_int_equal(packet[0], WT__FRAME_RESET_STREAM_AT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_reset_at_send_repeats_what_was_lost),
      TEST(test_reset_at_send_drops_the_repetition_after_a_late_acknowledgement),
      TEST(test_reset_at_send_repeats_after_a_long_silence),
      TEST(test_reset_at_send_ignores_the_fate_of_others),
      TEST(test_reset_at_send_needs_the_peers_word),
      TEST(test_reset_at_send_encrypts_other_packets_as_they_are),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
