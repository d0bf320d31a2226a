/* SPDX-License-Identifier: MIT */

/* src/wire/datagram.c: the quarter stream id, its bound and truncation. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/datagram.h"
#include "wire/varint.h"

#define MAX_ID ((int64_t)(WT__VARINT_MAX - 3))

static void test_datagram_header_round_trip_and_truncation(void **state) {
  (void)state;
  static const struct {
    int64_t id;
    size_t len;
  } cases[] = {{0, 1},     {4, 1},          {252, 1},         {256, 2},   {65532, 2},
               {65536, 4}, {0xfffffffc, 4}, {0x100000000, 8}, {MAX_ID, 8}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint8_t bytes[WT__DATAGRAM_HEADER_MAX + 1] = {0};
    int64_t id = -1;
    assert_int_equal(wt__datagram_header_len(cases[i].id), cases[i].len);
    assert_int_equal(wt__datagram_header_write(bytes, cases[i].id), cases[i].len);
    for (size_t len = 0; len < cases[i].len; len++) assert_int_equal(wt__datagram_header_read(bytes, len, &id), 0);
    assert_int_equal(id, -1);
    assert_int_equal(wt__datagram_header_read(bytes, cases[i].len, &id), cases[i].len); /* an empty payload */
    assert_true(id == cases[i].id);
    assert_int_equal(wt__datagram_header_read(bytes, cases[i].len + 1, &id), cases[i].len);
  }
}

static void test_datagram_header_refuses_an_id_past_the_last_stream(void **state) {
  (void)state;
  uint8_t bytes[8];
  int64_t id = -1;
  wt__varint_write(bytes, (UINT64_C(1) << 60) - 1);
  assert_int_equal(wt__datagram_header_read(bytes, 8, &id), 8);
  assert_true(id == MAX_ID);
  id = -1;
  wt__varint_write(bytes, UINT64_C(1) << 60);
  assert_int_equal(wt__datagram_header_read(bytes, 8, &id), 0);
  wt__varint_write(bytes, WT__VARINT_MAX);
  assert_int_equal(wt__datagram_header_read(bytes, 8, &id), 0);
  assert_int_equal(id, -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_datagram_header_round_trip_and_truncation),
      cmocka_unit_test(test_datagram_header_refuses_an_id_past_the_last_stream),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
