/* SPDX-License-Identifier: MIT */
/*
 * How much may be sent to an address that stands in for another, which nobody has validated (RFC 9000, section 8.1). The
 * rest of quic/handshake_path.c needs two ends: loopback/test_rebinding.
 */
#include "quic/conn.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_handshake_path_room_is_three_times_what_came(void **state) {
  static struct wt__conn conn;
  struct wt__handshake_path *own = &conn.handshake_path;
  (void)state;
  assert_int_equal(wt__handshake_path_room(&conn, 1200), 1200); /* the first address: ngtcp2 has its own count */
  own->now_at.len = 16;
  assert_int_equal(wt__handshake_path_room(&conn, 1200), 0);
  own->received = 1200;
  assert_int_equal(wt__handshake_path_room(&conn, 1200), 1200);
  own->sent = 3000;
  assert_int_equal(wt__handshake_path_room(&conn, 1200), 600);
  own->sent = 3600;
  assert_int_equal(wt__handshake_path_room(&conn, 1200), 0);
  own->sent = 3601; /* never a room without an end */
  assert_int_equal(wt__handshake_path_room(&conn, 1200), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_handshake_path_room_is_three_times_what_came),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
