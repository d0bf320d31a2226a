/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ngtcp2/ngtcp2.h>

#include "base/gauge.h"
#include "base/mem.h"
#include "quic/crypto_in.h"

#define AHEAD 16384

static struct wt__gauge_sum sum;
static struct wt__gauge gauge;
static struct wt__crypto_in in;

static int begin(void **state) {
  (void)state;
  sum = (struct wt__gauge_sum){0};
  gauge = (struct wt__gauge){.sum = &sum};
  wt__crypto_in_init(&in, &gauge);
  return 0;
}

static int end(void **state) {
  (void)state;
  wt__crypto_in_free(&in);
  assert_int_equal(gauge.bytes, 0);
  assert_int_equal(wt__mem_live(), 0);
  return 0;
}

static void frame(uint64_t offset, size_t len) { wt__crypto_in_frame(&in, 0, offset, len, AHEAD); }

static void test_crypto_in_keeps_nothing_of_what_comes_in_order(void **state) {
  (void)state;
  for (uint64_t at = 0; at < 100000; at += 1000) frame(at, 1000);
  frame(5000, 1000); /* again */
  assert_int_equal(in.next[0], 100000);
  assert_null(in.pieces[0]);
  assert_int_equal(in.error, 0);
  assert_int_equal(in.next[1], 0); /* levels have nothing to do with each other */
}

/* A ClientHello cut up in any order, as browsers send it, with repetitions. */
static void test_crypto_in_takes_pieces_in_any_order(void **state) {
  (void)state;
  for (unsigned seed = 1; seed < 200; seed++) {
    unsigned random = seed;
    wt__crypto_in_init(&in, &gauge);
    bool seen[40] = {false};
    for (int left = 40; left > 0;) {
      random = random * 1103515245 + 12345;
      unsigned piece = (random >> 16) % 40;
      frame(piece * 50, 50);
      if (!seen[piece]) left--;
      seen[piece] = true;
    }
    assert_int_equal(in.error, 0);
    assert_int_equal(in.next[0], 2000);
    assert_null(in.pieces[0]);
    assert_int_equal(gauge.bytes, 0);
  }
}

static void test_crypto_in_joins_what_overlaps(void **state) {
  (void)state;
  frame(10, 10);
  frame(30, 10);
  frame(50, 10);
  frame(15, 40); /* reaches into the first and the last */
  frame(0, 10);
  assert_int_equal(in.next[0], 60);
  assert_null(in.pieces[0]);
  frame(70, 10);
  frame(72, 3);
  frame(0, 90); /* over all of it */
  assert_int_equal(in.next[0], 90);
  assert_null(in.pieces[0]);
}

static void test_crypto_in_bounds_how_far_ahead(void **state) {
  (void)state;
  frame(AHEAD - 1, 1);
  assert_int_equal(in.error, 0);
  frame(AHEAD, 1);
  assert_int_equal(in.error, NGTCP2_ERR_CRYPTO_BUFFER_EXCEEDED);
}

static void test_crypto_in_bounds_pieces(void **state) {
  (void)state;
  for (uint64_t i = 1; i <= WT__CRYPTO_PIECES_MAX; i++) frame(2 * i, 1);
  assert_int_equal(in.error, 0);
  assert_true(gauge.bytes > 0 && gauge.bytes < 2048);
  for (uint64_t i = 1; i <= WT__CRYPTO_PIECES_MAX; i++) frame(2 * i, 1); /* nothing new */
  assert_int_equal(in.error, 0);
  frame(2 * WT__CRYPTO_PIECES_MAX + 2, 1);
  assert_int_equal(in.error, NGTCP2_ERR_CRYPTO_BUFFER_EXCEEDED);
}

/* Versions 1 and 2 number the types of packets differently. */
static void test_crypto_in_finds_the_level(void **state) {
  (void)state;
  static const struct {
    uint8_t header[5];
    int level;
  } packets[] = {
      {{0xc0, 0, 0, 0, 1}, 0},
      {{0xd0, 0, 0, 0, 1}, -1},
      {{0xe3, 0, 0, 0, 1}, 1},
      {{0xd1, 0x6b, 0x33, 0x43, 0xcf}, 0},
      {{0xe0, 0x6b, 0x33, 0x43, 0xcf}, -1},
      {{0xf0, 0x6b, 0x33, 0x43, 0xcf}, 1},
      {{0x40, 0, 0, 0, 1}, -1},
  };
  static const uint8_t payload[] = {0x00, 0x06, 0x00, 0x02, 'a', 'b', 0x01, 0x06, 0x02, 0x01, 'c'};
  for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
    wt__crypto_in_init(&in, &gauge);
    wt__crypto_in_packet(&in, packets[i].header, 5, payload, sizeof(payload), AHEAD);
    for (int level = 0; level < WT__CRYPTO_LEVELS; level++)
      assert_int_equal(in.next[level], level == packets[i].level ? 3 : 0);
  }
}

static void test_crypto_in_without_memory_ends_the_connection(void **state) {
  (void)state;
  wt__mem_fail_after(0);
  frame(10, 1);
  wt__mem_fail_after(SIZE_MAX);
  assert_int_equal(in.error, NGTCP2_ERR_NOMEM);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_crypto_in_keeps_nothing_of_what_comes_in_order, begin, end),
      cmocka_unit_test_setup_teardown(test_crypto_in_takes_pieces_in_any_order, begin, end),
      cmocka_unit_test_setup_teardown(test_crypto_in_joins_what_overlaps, begin, end),
      cmocka_unit_test_setup_teardown(test_crypto_in_bounds_how_far_ahead, begin, end),
      cmocka_unit_test_setup_teardown(test_crypto_in_bounds_pieces, begin, end),
      cmocka_unit_test_setup_teardown(test_crypto_in_finds_the_level, begin, end),
      cmocka_unit_test_setup_teardown(test_crypto_in_without_memory_ends_the_connection, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
