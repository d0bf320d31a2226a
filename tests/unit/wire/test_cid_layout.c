/* SPDX-License-Identifier: MIT */

/* src/wire/cid_layout.c: AWS's and Katran's layouts, bit for bit, their bounds, and ids of another kind. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "wire/cid_layout.h"

static void test_cid_layout_nlb_has_the_server_id_behind_the_first_octet(void **state) {
  (void)state;
  static const uint8_t server_id[8] = {0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x07, 0x18};
  static const uint8_t nonce[11] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  for (size_t len = 13; len <= 20; len++) {
    struct wt__lb_config config;
    uint8_t id[20];
    assert_int_equal(wt__cid_layout_nlb(len, &config), 0);
    assert_null(wt__lb_config_fault(&config));
    assert_int_equal(wt__lb_cid_len(&config), len);
    assert_int_equal(wt__lb_cid_write(&config, NULL, 0xff, server_id, nonce, len, id), 0);
    assert_memory_equal(id + 1, server_id, 8);
    assert_memory_equal(id + 9, nonce, len - 9);
  }
}

static void test_cid_layout_nlb_refuses_other_lengths(void **state) {
  (void)state;
  struct wt__lb_config config;
  for (size_t len = 0; len < 13; len++) assert_int_equal(wt__cid_layout_nlb(len, &config), WT_ERR_INVALID);
  assert_int_equal(wt__cid_layout_nlb(21, &config), WT_ERR_INVALID);
}

static void test_cid_layout_katran_bits(void **state) {
  (void)state;
  static const struct {
    enum wt__katran version;
    uint32_t host;
    uint8_t filled[8]; /* over bytes that are 0xff */
    uint8_t zeros[8];  /* over bytes that are 0 */
  } rows[] = {
      {WT__KATRAN_V1, 0xabcd, {0x6a, 0xf3, 0x7f, 255, 255, 255, 255, 255}, {0x6a, 0xf3, 0x40}},
      {WT__KATRAN_V2, 0xabcdef, {0xbf, 0xab, 0xcd, 0xef, 255, 255, 255, 255}, {0x80, 0xab, 0xcd, 0xef}},
      {WT__KATRAN_V3, 0x12abcdef, {0xff, 0x12, 0xab, 0xcd, 0xef, 255, 255, 255}, {0xc0, 0x12, 0xab, 0xcd, 0xef}},
  };
  for (size_t i = 0; i < 3; i++) {
    uint8_t id[8];
    memset(id, 255, sizeof(id));
    assert_int_equal(wt__katran_write(rows[i].version, rows[i].host, id, 8), 0);
    assert_memory_equal(id, rows[i].filled, 8);
    memset(id, 0, sizeof(id));
    assert_int_equal(wt__katran_write(rows[i].version, rows[i].host, id, 8), 0);
    assert_memory_equal(id, rows[i].zeros, 8);
  }
}

static void test_cid_layout_katran_round_trip_and_bounds(void **state) {
  (void)state;
  for (enum wt__katran version = WT__KATRAN_V1; version <= WT__KATRAN_V3; version++) {
    uint32_t most = wt__katran_host_max(version);
    const uint32_t hosts[] = {1, 2, 0x3ff, 0x400, 0x8001, most - 1, most};
    uint8_t id[20] = {0x99, 0x88, 0x77, 0x66, 0x55};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
      assert_int_equal(wt__katran_write(version, hosts[i], id, 20), 0);
      assert_int_equal(wt__katran_read(version, id, 20), hosts[i]);
      for (enum wt__katran other = WT__KATRAN_V1; other <= WT__KATRAN_V3; other++) {
        if (other != version) assert_int_equal(wt__katran_read(other, id, 20), 0);
      }
      assert_int_equal(wt__katran_read(version, id, 7), 0);
    }
    assert_int_equal(wt__katran_write(version, 0, id, 20), WT_ERR_INVALID);
    assert_int_equal(wt__katran_write(version, most + 1, id, 20), WT_ERR_INVALID);
    assert_int_equal(wt__katran_write(version, 1, id, 7), WT_ERR_INVALID);
  }
}

static void test_cid_layout_katran_takes_no_negative_host(void **state) {
  (void)state;
  static const uint8_t id[8] = {0xc0, 0x80, 0, 0, 1};
  assert_int_equal(wt__katran_read(WT__KATRAN_V3, id, 8), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cid_layout_nlb_has_the_server_id_behind_the_first_octet),
      cmocka_unit_test(test_cid_layout_nlb_refuses_other_lengths),
      cmocka_unit_test(test_cid_layout_katran_bits),
      cmocka_unit_test(test_cid_layout_katran_round_trip_and_bounds),
      cmocka_unit_test(test_cid_layout_katran_takes_no_negative_host),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
