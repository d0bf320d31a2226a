/* SPDX-License-Identifier: MIT */

/*
 * src/quic/reset_at_recv.c: the verdict on each frame in each state of its stream, bounds on what is kept, and
 * packet numbers. tests/loopback/test_reset_at_recv.c has whole connections.
 */

#include "conn_fixture.h"

#define RESET WT__FRAME_RESET_STREAM
#define RESET_AT WT__FRAME_RESET_STREAM_AT

static enum wt__frame_fate judge(uint64_t type, int64_t id, uint64_t code, uint64_t final_size, uint64_t reliable) {
  const struct wt__quic_frame frame = {
      .type = type, .id = (uint64_t)id, .code = code, .final_size = final_size, .reliable_size = reliable};
  return wt__reset_at_recv_judge(conn, &frame);
}

static void test_reset_at_recv_keeps_what_is_not_delivered(void **state) {
  (void)state;
  assert_int_equal(wt__reset_at_recv_opened(conn, 6), 0);
  wt__reset_at_recv_data(conn, 6, 0, 3);
  assert_int_equal(judge(RESET_AT, 6, 1, 10, 4), WT__FRAME_AS_PING);
  assert_int_equal(judge(RESET_AT, 6, 1, 10, 4), WT__FRAME_AS_PING); /* a duplicate */
  assert_true(wt__list_empty(&conn->reset_in.ready));
  wt__reset_at_recv_data(conn, 6, 3, 1);
  assert_false(wt__list_empty(&conn->reset_in.ready));
  assert_int_equal(judge(RESET_AT, 6, 1, 10, 4), WT__FRAME_AS_RESET);
  assert_int_equal(conn->reset_in.error, 0);
}

static void test_reset_at_recv_leaves_plain_resets_to_ngtcp2(void **state) {
  (void)state;
  assert_int_equal(wt__reset_at_recv_opened(conn, 6), 0);
  assert_int_equal(judge(RESET, 6, 1, 10, 0), WT__FRAME_AS_RESET);
  assert_int_equal(judge(RESET, 4, 1, 10, 0), WT__FRAME_AS_RESET); /* unseen, bidirectional */
  assert_int_equal(conn->reset_in.streams.len, 1);
  assert_int_equal(judge(RESET, 10, 1, 10, 0), WT__FRAME_AS_PING); /* unseen, unidirectional: see there */
  assert_int_equal(conn->reset_in.streams.len, 2);
  assert_false(wt__list_empty(&conn->reset_in.ready));
}

static bool fin_is_late(int64_t id, uint64_t offset, size_t len) {
  const struct wt__quic_frame frame = {
      .type = WT__FRAME_STREAM | WT__FRAME_STREAM_FIN, .id = (uint64_t)id, .offset = offset, .data_len = len};
  return wt__reset_at_recv_fin_is_late(conn, &frame);
}

/* Only what ngtcp2 would drop: it judges final sizes and ids that cannot be. */
static void test_reset_at_recv_knows_fins_that_change_nothing(void **state) {
  (void)state;
  assert_false(fin_is_late(6, 10, 0)); /* yet to come */
  assert_int_equal(wt__reset_at_recv_opened(conn, 6), 0);
  assert_false(fin_is_late(6, 10, 0)); /* open */
  (void)wt__reset_at_recv_reset(conn, 6, 1, 10);
  assert_true(fin_is_late(6, 10, 0));
  assert_false(fin_is_late(6, 9, 1));  /* bytes */
  assert_false(fin_is_late(6, 11, 0)); /* another final size */
  wt__reset_at_recv_closed(conn, 6);
  assert_true(fin_is_late(6, 10, 0));
  assert_false(fin_is_late(INT64_C(0x3ffffffffffffffe), 10, 0)); /* cannot be */
  assert_false(fin_is_late(3, 0, 0));                            /* ours */
}

static void test_reset_at_recv_knows_closed_from_unseen(void **state) {
  (void)state;
  assert_int_equal(judge(RESET_AT, 14, 1, 10, 4), WT__FRAME_AS_PING);
  assert_int_equal(wt__reset_at_recv_opened(conn, 10), 0);
  wt__reset_at_recv_closed(conn, 10);
  assert_int_equal(judge(RESET_AT, 10, 1, 10, 4), WT__FRAME_AS_RESET);
  assert_int_equal(conn->reset_in.streams.len, 1);
}

/* However many ids the peer names, records are made within its limit on streams alone. */
static void test_reset_at_recv_keeps_no_more_than_the_streams_there_can_be(void **state) {
  (void)state;
  uint64_t most = config.max_streams_bidi + config.max_streams_uni + 3;
  for (int64_t id = 0; id < 100000; id++) (void)judge(RESET_AT, id, 1, 10, 4);
  assert_int_equal(conn->reset_in.streams.len, most);
  for (int64_t id = 0; id < 100000; id++) (void)judge(RESET_AT, id, 1, 10, 4);
  assert_int_equal(conn->reset_in.streams.len, most);
  assert_int_equal(conn->reset_in.error, 0);
  assert_int_equal(judge(RESET_AT, INT64_C(0x3fffffffffffffff), 1, 10, 4), WT__FRAME_AS_RESET);
  assert_int_equal(conn->reset_in.streams.len, most);
}

static void test_reset_at_recv_leaves_what_cannot_be_as_it_is(void **state) {
  (void)state;
  assert_int_equal(judge(RESET_AT, 6, 1, 10, 11), WT__FRAME_KEEP);
  assert_int_equal(conn->reset_in.streams.len, 0);
}

static void test_reset_at_recv_finds_changed_values(void **state) {
  (void)state;
  assert_int_equal(judge(RESET_AT, 6, 1, 10, 4), WT__FRAME_AS_PING);
  assert_int_equal(judge(RESET_AT, 6, 1, 11, 4), WT__FRAME_AS_PING);
  assert_int_equal(conn->reset_in.error, NGTCP2_ERR_FINAL_SIZE);
  conn->reset_in.error = 0;
  assert_int_equal(judge(RESET, 6, 2, 10, 0), WT__FRAME_AS_PING);
  assert_int_equal(conn->reset_in.error, NGTCP2_ERR_STREAM_STATE);
}

static void test_reset_at_recv_puts_a_reset_in_place_of_the_fin(void **state) {
  (void)state;
  uint64_t code = 0, final_size = 0;
  assert_int_equal(wt__reset_at_recv_opened(conn, 6), 0);
  assert_false(wt__reset_at_recv_fin(conn, 6, &code, &final_size));
  assert_int_equal(judge(RESET_AT, 6, 7, 10, 4), WT__FRAME_AS_PING);
  wt__reset_at_recv_data(conn, 6, 0, 10);
  assert_true(wt__reset_at_recv_fin(conn, 6, &code, &final_size));
  assert_int_equal(code, 7);
  assert_int_equal(final_size, 10);
  assert_true(wt__list_empty(&conn->reset_in.ready));
}

/* Told once, when both are known: that it was stopped, and where it ends. */
static void test_reset_at_recv_tells_the_final_size_of_stopped_streams(void **state) {
  (void)state;
  assert_int_equal(wt__reset_at_recv_opened(conn, 6), 0);
  wt__reset_at_recv_stopped(conn, 6);
  assert_true(wt__list_empty(&conn->reset_in.finals));
  wt__reset_at_recv_seen_fin(conn, 6, 10);
  assert_false(wt__list_empty(&conn->reset_in.finals));
  wt__reset_at_recv_seen_fin(conn, 6, 10); /* a duplicate */
  int told = h3.finals;
  wt__reset_at_recv_tell_finals(conn);
  wt__reset_at_recv_tell_finals(conn);
  assert_int_equal(h3.finals, told + 1);
  assert_int_equal(h3.final_size, 10);
  wt__reset_at_recv_seen_fin(conn, 6, 10);
  assert_true(wt__list_empty(&conn->reset_in.finals));
  /* The other way round, and seen before the stream is open. */
  wt__reset_at_recv_seen_fin(conn, 10, 20);
  assert_int_equal(wt__reset_at_recv_opened(conn, 10), 0);
  assert_true(wt__list_empty(&conn->reset_in.finals));
  wt__reset_at_recv_stopped(conn, 10);
  assert_false(wt__list_empty(&conn->reset_in.finals));
  wt__reset_at_recv_closed(conn, 10);
  assert_true(wt__list_empty(&conn->reset_in.finals));
  /* Of streams that are closed, cannot be, or can only be written, nothing is noted. */
  size_t records = conn->reset_in.streams.len;
  wt__reset_at_recv_seen_fin(conn, 10, 20);
  wt__reset_at_recv_seen_fin(conn, INT64_C(0x3ffffffffffffffe), 20);
  wt__reset_at_recv_seen_fin(conn, 3, 20);
  assert_int_equal(conn->reset_in.streams.len, records);
  assert_int_equal(conn->reset_in.error, 0);
}

static void test_reset_at_recv_expires_without_progress(void **state) {
  (void)state;
  uint64_t timeout = WT__RESET_AT_TIMEOUT_MS * MS;
  assert_true(wt__reset_at_recv_expiry(conn) == UINT64_MAX);
  assert_int_equal(wt__reset_at_recv_opened(conn, 6), 0);
  assert_int_equal(judge(RESET_AT, 6, 7, 10, 4), WT__FRAME_AS_PING);
  assert_int_equal(wt__reset_at_recv_expiry(conn), endpoint->now + timeout);
  endpoint->now += timeout - 1;
  assert_int_equal(wt__reset_at_recv_expire(conn), 0);
  assert_int_equal(judge(RESET_AT, 6, 7, 10, 4), WT__FRAME_AS_PING); /* repetition is no progress */
  wt__reset_at_recv_data(conn, 6, 0, 1);
  assert_int_equal(wt__reset_at_recv_expiry(conn), endpoint->now + timeout);
  endpoint->now += timeout;
  assert_int_equal(wt__reset_at_recv_expire(conn), NGTCP2_ERR_PROTO);
}

/* First byte with the length of the number, an id of 4 bytes, the number. */
static uint64_t number_after(uint64_t newest, uint8_t first, const char *number) {
  uint8_t header[1 + 4 + 4] = {first, 1, 2, 3, 4};
  size_t number_len = (size_t)(first & 3) + 1;
  conn->reset_in.has_header = true;
  conn->reset_in.packet_number = newest;
  memcpy(header + 5, number, number_len);
  wt__reset_at_recv_packet(conn, header, 5 + number_len);
  return conn->reset_in.packet_number;
}

static void test_reset_at_recv_follows_packet_numbers(void **state) {
  (void)state;
  assert_int_equal(number_after(UINT64_C(0xa82f30ea), 0x41, "\x9b\x32"), UINT64_C(0xa82f9b32)); /* RFC 9000, A.3 */
  assert_int_equal(number_after(0xff, 0x40, "\x00"), 0x100);
  assert_int_equal(number_after(0x100, 0x40, "\xff"), 0x100); /* an older one */
  assert_int_equal(number_after(0xffff, 0x43, "\x00\x01\x00\x00"), 0x10000);
  assert_int_equal(conn->reset_in.dcid.datalen, 4);
  assert_memory_equal(conn->reset_in.dcid.data, "\x01\x02\x03\x04", 4);
}

/* ngtcp2 has an assertion that would fail a little before the last number, whatever the packet says. */
static void test_reset_at_recv_ends_a_connection_whose_packet_numbers_run_out(void **state) {
  (void)state;
  const uint64_t most = UINT64_C(1) << 61;
  assert_int_equal(number_after(most - 0x10000, 0x41, "\x7f\xff"), most - 0x8001);
  assert_int_equal(conn->reset_in.error, 0);
  assert_int_equal(number_after(most, 0x41, "\x00\x01"), most + 1);
  assert_int_equal(conn->reset_in.error, NGTCP2_ERR_PROTO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_reset_at_recv_keeps_what_is_not_delivered),
      TEST(test_reset_at_recv_leaves_plain_resets_to_ngtcp2),
      TEST(test_reset_at_recv_knows_fins_that_change_nothing),
      TEST(test_reset_at_recv_knows_closed_from_unseen),
      TEST(test_reset_at_recv_keeps_no_more_than_the_streams_there_can_be),
      TEST(test_reset_at_recv_leaves_what_cannot_be_as_it_is),
      TEST(test_reset_at_recv_finds_changed_values),
      TEST(test_reset_at_recv_puts_a_reset_in_place_of_the_fin),
      TEST(test_reset_at_recv_tells_the_final_size_of_stopped_streams),
      TEST(test_reset_at_recv_expires_without_progress),
      TEST(test_reset_at_recv_follows_packet_numbers),
      TEST(test_reset_at_recv_ends_a_connection_whose_packet_numbers_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
