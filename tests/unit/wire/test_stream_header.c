/* SPDX-License-Identifier: MIT */

/* src/wire/stream_header.c: both kinds, every truncation, every form of the varints, wrong ids. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/stream_header.h"
#include "wire/varint.h"

#define MAX_ID ((int64_t)(WT__VARINT_MAX - 3))

static void test_stream_header_round_trip_and_truncation(void **state) {
  (void)state;
  static const int64_t ids[] = {0, 4, 60, 64, 16380, 16384, 0x3ffffffc, 0x40000000, MAX_ID};
  for (int uni = 0; uni < 2; uni++) {
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
      uint8_t bytes[WT__STREAM_HEADER_MAX + 1];
      size_t n = wt__stream_header_write(bytes, uni, ids[i]), header_len = 0;
      int64_t id = -1;
      uint64_t type = 0;
      assert_true(n >= 3 && n <= 10);
      bytes[n] = 0xff; /* the application's first byte */
      for (size_t len = 0; len < n; len++) {
        assert_int_equal(wt__stream_header_read(uni, bytes, len, &type, &id, &header_len), WT__STREAM_HEADER_MORE);
      }
      assert_int_equal(wt__stream_header_read(uni, bytes, n + 1, &type, &id, &header_len), WT__STREAM_HEADER_WT);
      assert_int_equal(type, uni ? 0x54 : 0x41);
      assert_true(id == ids[i]);
      assert_int_equal(header_len, n);
      /* On a stream of the other kind the same bytes mean nothing to us. */
      assert_int_equal(wt__stream_header_read(!uni, bytes, n, &type, &id, &header_len), WT__STREAM_HEADER_HTTP);
    }
  }
}

static void test_stream_header_bytes_are_those_of_browsers(void **state) {
  (void)state;
  uint8_t bytes[WT__STREAM_HEADER_MAX];
  assert_int_equal(wt__stream_header_write(bytes, true, 0), 3);
  assert_memory_equal(bytes, "\x40\x54\x00", 3);
  assert_int_equal(wt__stream_header_write(bytes, false, 4), 3);
  assert_memory_equal(bytes, "\x40\x41\x04", 3);
}

static void test_stream_header_accepts_longer_varints(void **state) {
  (void)state;
  static const uint8_t bytes[16] = {0xc0, 0, 0, 0, 0, 0, 0, 0x54, 0xc0, 0, 0, 0, 0, 0, 0, 0x08};
  uint64_t type;
  int64_t id;
  size_t header_len;
  for (size_t len = 0; len < 16; len++) {
    assert_int_equal(wt__stream_header_read(true, bytes, len, &type, &id, &header_len), WT__STREAM_HEADER_MORE);
  }
  assert_int_equal(wt__stream_header_read(true, bytes, 16, &type, &id, &header_len), WT__STREAM_HEADER_WT);
  assert_int_equal(id, 8);
  assert_int_equal(header_len, 16);
}

static void test_stream_header_leaves_http_streams_alone(void **state) {
  (void)state;
  static const uint8_t types[] = {0x00, 0x01, 0x02, 0x03, 0x21, 0x3f};
  for (int uni = 0; uni < 2; uni++) {
    for (size_t i = 0; i < sizeof(types); i++) {
      uint64_t type = 99;
      int64_t id = -1;
      size_t header_len = 77;
      assert_int_equal(wt__stream_header_read(uni, &types[i], 1, &type, &id, &header_len), WT__STREAM_HEADER_HTTP);
      assert_int_equal(type, types[i]);
      assert_int_equal(id, -1);
      assert_int_equal(header_len, 77);
    }
  }
}

static void test_stream_header_refuses_ids_that_are_no_sessions(void **state) {
  (void)state;
  for (int uni = 0; uni < 2; uni++) {
    for (uint8_t id_byte = 0; id_byte < 0x40; id_byte++) {
      const uint8_t bytes[] = {0x40, uni ? 0x54 : 0x41, id_byte};
      uint64_t type;
      int64_t id = -1;
      size_t header_len;
      int expected = id_byte % 4 ? WT__STREAM_HEADER_BAD_ID : WT__STREAM_HEADER_WT;
      assert_int_equal(wt__stream_header_read(uni, bytes, 3, &type, &id, &header_len), expected);
      assert_int_equal(id, id_byte % 4 ? -1 : id_byte);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_stream_header_round_trip_and_truncation),
      cmocka_unit_test(test_stream_header_bytes_are_those_of_browsers),
      cmocka_unit_test(test_stream_header_accepts_longer_varints),
      cmocka_unit_test(test_stream_header_leaves_http_streams_alone),
      cmocka_unit_test(test_stream_header_refuses_ids_that_are_no_sessions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
