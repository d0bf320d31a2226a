/* SPDX-License-Identifier: MIT */
/*
 * How large packets may be: what is evidence and what is not, and the search for more (RFC 8899).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quic/path_mtu.h"
#include "wire/quic_frame.h"

#define MS UINT64_C(1000000)
#define PTO (100 * MS)
#define NEVER UINT64_MAX

static void begin(struct wt__path_mtu *mtu, size_t known) {
  wt__path_mtu_init(mtu);
  wt__path_mtu_learn(mtu, known);
}

static enum wt__path_mtu_verdict look(struct wt__path_mtu *mtu, uint64_t now) {
  return wt__path_mtu_expire(mtu, PTO, NEVER, now);
}

/* Two packets of `size` bytes, of which none is acknowledged. */
static void fall(struct wt__path_mtu *mtu, size_t size, uint64_t now) {
  wt__path_mtu_sent(mtu, 1, size, PTO / 4, now);
  wt__path_mtu_sent(mtu, 2, size, PTO / 4, now + 1);
  assert_int_equal(wt__path_mtu_expiry(mtu, PTO, NEVER, now), now + 250 * MS);
  assert_int_equal(look(mtu, now + 249 * MS), WT__PATH_MTU_SAME);
  assert_int_equal(look(mtu, now + 250 * MS), WT__PATH_MTU_FELL);
  assert_int_equal(wt__path_mtu_size(mtu), WT__PATH_MTU_BASE);
}

static void test_path_mtu_falls_when_nothing_large_is_acknowledged(void **state) {
  (void)state;
  struct wt__path_mtu mtu;
  begin(&mtu, 1472);
  assert_int_equal(wt__path_mtu_size(&mtu), 1472);
  fall(&mtu, 1472, 1000 * MS);
}

static void test_path_mtu_stays_when_one_as_large_is_acknowledged(void **state) {
  (void)state;
  struct wt__path_mtu mtu;
  begin(&mtu, 1472);
  wt__path_mtu_sent(&mtu, 1, 1472, PTO, 0);
  wt__path_mtu_sent(&mtu, 2, 1472, PTO, 0);
  wt__path_mtu_sent(&mtu, 3, 1472, PTO, 0);
  wt__path_mtu_acked(&mtu, 3, 3);
  assert_int_equal(look(&mtu, 1000 * MS), WT__PATH_MTU_SAME);
  assert_int_equal(wt__path_mtu_expiry(&mtu, PTO, NEVER, 0), NEVER);
}

/* An acknowledged packet of 1,250 bytes says nothing about 1,472. */
static void test_path_mtu_smaller_packets_are_no_evidence_for_larger_ones(void **state) {
  (void)state;
  struct wt__path_mtu mtu;
  begin(&mtu, 1472);
  for (uint64_t i = 0; i < 10; i++) {
    wt__path_mtu_sent(&mtu, 2 * i, i % 2 ? 1472 : 1250, PTO, i * 20 * MS);
    if (i % 2 == 0) wt__path_mtu_acked(&mtu, 2 * i, 2 * i);
  }
  assert_int_equal(look(&mtu, 300 * MS), WT__PATH_MTU_FELL);
}

/* ngtcp2's own probes are larger than what it knows. */
static void test_path_mtu_lost_probes_are_no_evidence(void **state) {
  (void)state;
  struct wt__path_mtu mtu;
  begin(&mtu, 1232);
  for (uint64_t i = 0; i < 6; i++) wt__path_mtu_sent(&mtu, i, 1406, PTO, 0);
  assert_int_equal(look(&mtu, 5000 * MS), WT__PATH_MTU_SAME);
  assert_false(wt__path_mtu_refused(&mtu, 1406, 0));
  assert_int_equal(wt__path_mtu_size(&mtu), 1232);
}

static void test_path_mtu_many_packets_keep_the_watch_bounded(void **state) {
  (void)state;
  struct wt__path_mtu mtu;
  begin(&mtu, 1472);
  for (uint64_t i = 0; i < 10000; i++) wt__path_mtu_sent(&mtu, i, 1472, 10 * MS, i * MS / 10);
  assert_int_equal(mtu.watched_len, WT__PATH_MTU_WATCHED);
  wt__path_mtu_acked(&mtu, 9000, 9999); /* the latest ones are among those that are watched */
  assert_int_equal(mtu.watched_len, 0);
}

/* Sends the probe that is due, and says what became of it. */
static size_t probe(struct wt__path_mtu *mtu, size_t mtu_of_path, uint64_t *now) {
  size_t size = wt__path_mtu_probe(mtu, *now);
  assert_true(size > 0);
  wt__path_mtu_probed(mtu, true, PTO, *now);
  wt__path_mtu_acked(mtu, 1, 1); /* something small arrives meanwhile */
  if (size <= mtu_of_path) {
    wt__path_mtu_probe_arrived(mtu, size, *now);
  } else {
    *now += 2 * PTO;
    assert_int_equal(look(mtu, *now), WT__PATH_MTU_SAME);
  }
  return size;
}

static void test_path_mtu_search_finds_what_passes_and_begins_anew(void **state) {
  (void)state;
  struct wt__path_mtu mtu;
  uint64_t now = 250 * MS;
  begin(&mtu, 1472);
  fall(&mtu, 1472, 0);
  assert_int_equal(wt__path_mtu_probe(&mtu, now), 0); /* nothing was heard yet */
  wt__path_mtu_acked(&mtu, 3, 3);
  for (int i = 0; i < WT__PATH_MTU_PROBES; i++) assert_int_equal(probe(&mtu, 1300, &now), 1472);
  assert_int_equal(probe(&mtu, 1300, &now), 1232);
  assert_int_equal(probe(&mtu, 1300, &now), 1280);
  for (int i = 0; i < WT__PATH_MTU_PROBES; i++) assert_int_equal(probe(&mtu, 1300, &now), 1342);
  assert_int_equal(wt__path_mtu_size(&mtu), 1280);
  assert_int_equal(wt__path_mtu_probe(&mtu, now), 0);
  assert_int_equal(wt__path_mtu_expiry(&mtu, PTO, NEVER, now), now + 600000 * MS);
  now += 600000 * MS;
  assert_int_equal(look(&mtu, now), WT__PATH_MTU_SAME);
  while (mtu.limit) (void)probe(&mtu, 1500, &now);
  assert_int_equal(wt__path_mtu_size(&mtu), 1472);
  assert_int_equal(wt__path_mtu_expiry(&mtu, PTO, NEVER, now), NEVER);
}

/* After an outage the former size is tried first, and not given up while nothing at all arrives. */
static void test_path_mtu_an_outage_costs_one_probe(void **state) {
  (void)state;
  struct wt__path_mtu mtu;
  uint64_t now = 250 * MS;
  begin(&mtu, 1452);
  fall(&mtu, 1452, 0);
  wt__path_mtu_acked(&mtu, 3, 3);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(wt__path_mtu_probe(&mtu, now), 1452);
    wt__path_mtu_probed(&mtu, true, PTO, now);
    now += 2 * PTO;
    assert_int_equal(look(&mtu, now), WT__PATH_MTU_SAME);
    assert_int_equal(wt__path_mtu_probe(&mtu, now), 0);
    wt__path_mtu_acked(&mtu, 4, 4);
  }
  wt__path_mtu_probed(&mtu, true, PTO, now);
  wt__path_mtu_probe_arrived(&mtu, 1452, now);
  assert_int_equal(wt__path_mtu_size(&mtu), 1452);
}

static void test_path_mtu_of_the_kernel_counts_at_once(void **state) {
  (void)state;
  struct wt__path_mtu mtu;
  begin(&mtu, 1472);
  assert_true(wt__path_mtu_refused(&mtu, 1472, 0));
  assert_int_equal(wt__path_mtu_size(&mtu), WT__PATH_MTU_BASE);
  assert_int_equal(wt__path_mtu_probe(&mtu, 0), 1472);
  wt__path_mtu_probed(&mtu, true, PTO, 0);
  assert_false(wt__path_mtu_refused(&mtu, 1472, 0)); /* one refusal is enough */
  assert_int_equal(look(&mtu, 0), WT__PATH_MTU_SAME);
  assert_int_equal(wt__path_mtu_probe(&mtu, 0), 1232);
  assert_false(wt__path_mtu_refused(&mtu, 1200, 0)); /* QUIC cannot do with less */
  assert_int_equal(wt__path_mtu_size(&mtu), WT__PATH_MTU_BASE);
}

static void test_path_mtu_of_another_path_is_not_known(void **state) {
  (void)state;
  struct wt__path_mtu mtu;
  begin(&mtu, 1472);
  fall(&mtu, 1472, 0);
  wt__path_mtu_learn(&mtu, 1200);
  assert_int_equal(wt__path_mtu_size(&mtu), 1200);
  wt__path_mtu_learn(&mtu, 1406);
  assert_int_equal(wt__path_mtu_size(&mtu), 1406);
}

static void test_path_mtu_without_probes_the_limit_is_lifted_later(void **state) {
  (void)state;
  struct wt__path_mtu mtu;
  begin(&mtu, 1472);
  fall(&mtu, 1472, 0);
  wt__path_mtu_without_probes(&mtu, 250 * MS);
  wt__path_mtu_without_probes(&mtu, 600000 * MS);
  assert_int_equal(wt__path_mtu_size(&mtu), WT__PATH_MTU_BASE);
  wt__path_mtu_without_probes(&mtu, 600250 * MS);
  assert_int_equal(wt__path_mtu_size(&mtu), 1472);
}

static void test_path_mtu_below_the_base_the_path_is_dead(void **state) {
  (void)state;
  struct wt__path_mtu mtu;
  uint64_t patience = 30000 * MS, now = 0;
  begin(&mtu, 1200);
  for (uint64_t i = 0; i < 20; i++, now += 1500 * MS) {
    assert_int_equal(wt__path_mtu_expire(&mtu, PTO, patience, now), WT__PATH_MTU_SAME);
    wt__path_mtu_sent(&mtu, 2 * i, 1200, PTO / 4, now);
    wt__path_mtu_acked(&mtu, 2 * i + 1, 2 * i + 1);
  }
  assert_int_equal(wt__path_mtu_expire(&mtu, PTO, patience, now), WT__PATH_MTU_DEAD);
  wt__path_mtu_sent(&mtu, 100, 1200, PTO / 4, now);
  wt__path_mtu_acked(&mtu, 100, 100);
  assert_int_equal(wt__path_mtu_expire(&mtu, PTO, patience, now), WT__PATH_MTU_SAME);
}

/* --- ACK frames --- */

struct ranges {
  unsigned count;
  uint64_t first[4], last[4];
};

static void on_range(void *ctx, uint64_t first, uint64_t last) {
  struct ranges *ranges = ctx;
  assert_true(ranges->count < 4);
  ranges->first[ranges->count] = first;
  ranges->last[ranges->count++] = last;
}

static unsigned ranges_of(const uint8_t *bytes, size_t len, struct ranges *ranges) {
  struct wt__quic_frame frame;
  memset(ranges, 0, sizeof(*ranges));
  assert_int_equal(wt__quic_frame_read(bytes, len, &frame), len);
  wt__quic_ack_ranges(&frame, on_range, ranges);
  return ranges->count;
}

static void test_ack_ranges_are_read(void **state) {
  (void)state;
  struct ranges ranges;
  const uint8_t one[] = {0x02, 9, 0, 0, 9}, two[] = {0x03, 20, 5, 1, 2, 3, 4, 0, 0, 1};
  assert_int_equal(ranges_of(one, sizeof(one), &ranges), 1);
  assert_int_equal(ranges.first[0], 0);
  assert_int_equal(ranges.last[0], 9);
  assert_int_equal(ranges_of(two, sizeof(two), &ranges), 2);
  assert_int_equal(ranges.first[0], 18);
  assert_int_equal(ranges.last[0], 20);
  assert_int_equal(ranges.last[1], 13);
  assert_int_equal(ranges.first[1], 9);
}

/* Ranges below packet 0: ngtcp2 refuses the frame, and nothing is believed here. */
static void test_ack_ranges_that_make_no_sense_are_left_out(void **state) {
  (void)state;
  struct ranges ranges;
  const uint8_t first[] = {0x02, 3, 0, 0, 4}, gap[] = {0x02, 3, 0, 1, 1, 1, 0}, length[] = {0x02, 9, 0, 1, 1, 1, 9};
  assert_int_equal(ranges_of(first, sizeof(first), &ranges), 0);
  assert_int_equal(ranges_of(gap, sizeof(gap), &ranges), 1);
  assert_int_equal(ranges_of(length, sizeof(length), &ranges), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_path_mtu_falls_when_nothing_large_is_acknowledged),
      cmocka_unit_test(test_path_mtu_stays_when_one_as_large_is_acknowledged),
      cmocka_unit_test(test_path_mtu_smaller_packets_are_no_evidence_for_larger_ones),
      cmocka_unit_test(test_path_mtu_lost_probes_are_no_evidence),
      cmocka_unit_test(test_path_mtu_many_packets_keep_the_watch_bounded),
      cmocka_unit_test(test_path_mtu_search_finds_what_passes_and_begins_anew),
      cmocka_unit_test(test_path_mtu_an_outage_costs_one_probe),
      cmocka_unit_test(test_path_mtu_of_the_kernel_counts_at_once),
      cmocka_unit_test(test_path_mtu_of_another_path_is_not_known),
      cmocka_unit_test(test_path_mtu_without_probes_the_limit_is_lifted_later),
      cmocka_unit_test(test_path_mtu_below_the_base_the_path_is_dead),
      cmocka_unit_test(test_ack_ranges_are_read),
      cmocka_unit_test(test_ack_ranges_that_make_no_sense_are_left_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
