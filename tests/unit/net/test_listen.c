/* SPDX-License-Identifier: MIT */

/* The sockets behind one "address:port" (net/listen.c). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "net/listen.h"

static unsigned port_of(const struct wt__udp *udp) {
  return wt__address_port((const struct sockaddr *)&udp->bound.storage);
}

static void close_all(struct wt__udp *sockets, size_t count) {
  for (size_t i = 0; i < count; i++) wt__udp_close(&sockets[i]);
}

static void test_listen_wildcard_is_one_port_on_both_families(void **state) {
  (void)state;
  struct wt__udp sockets[WT__ADDRESSES_MAX];
  char message[256] = "";
  size_t count;
  assert_int_equal(wt__listen_open("[::]:0", sockets, &count, message, sizeof(message)), 0);
  assert_string_equal(message, "");
  assert_true(count == 2 || (count == 1 && sockets[0].family == AF_INET)); /* a machine without IPv6 */
  assert_int_equal(sockets[count - 1].family, AF_INET);
  assert_int_not_equal(port_of(&sockets[0]), 0);
  assert_int_equal(port_of(&sockets[0]), port_of(&sockets[count - 1]));
  close_all(sockets, count);
}

static void test_listen_taken_port_is_named(void **state) {
  (void)state;
  struct wt__udp first[WT__ADDRESSES_MAX], second[WT__ADDRESSES_MAX];
  char text[64], message[256], expected[256];
  size_t count, none;
  assert_int_equal(wt__listen_open("127.0.0.1:0", first, &count, message, sizeof(message)), 0);
  snprintf(text, sizeof(text), "127.0.0.1:%u", port_of(&first[0]));
  assert_int_equal(wt__listen_open(text, second, &none, message, sizeof(message)), WT_ERR_IO);
  assert_int_equal(none, 0);
  snprintf(expected, sizeof(expected), "cannot listen on %s: address already in use", text);
  assert_string_equal(message, expected);

  /* Taken on one of two addresses is taken, and the message names the one. */
  snprintf(text, sizeof(text), "localhost:%u", port_of(&first[0]));
  assert_int_equal(wt__listen_open(text, second, &none, message, sizeof(message)), WT_ERR_IO);
  assert_int_equal(none, 0);
  assert_string_equal(message, expected);
  close_all(first, count);
}

static void test_listen_on_an_address_of_another_machine(void **state) {
  (void)state;
  struct wt__udp sockets[WT__ADDRESSES_MAX];
  char message[256];
  size_t count;
  assert_int_equal(wt__listen_open("192.0.2.1:0", sockets, &count, message, sizeof(message)), WT_ERR_IO);
  assert_int_equal(count, 0);
  assert_string_equal(message, "cannot listen on 192.0.2.1:0: address not available");
}

static void test_listen_on_nonsense(void **state) {
  (void)state;
  struct wt__udp sockets[WT__ADDRESSES_MAX];
  char message[256];
  size_t count;
  assert_int_equal(wt__listen_open("4433", sockets, &count, message, sizeof(message)), WT_ERR_ADDRESS);
  assert_int_equal(count, 0);
  assert_string_equal(message, "cannot listen on 4433: a port is missing");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_listen_wildcard_is_one_port_on_both_families),
      cmocka_unit_test(test_listen_taken_port_is_named),
      cmocka_unit_test(test_listen_on_an_address_of_another_machine),
      cmocka_unit_test(test_listen_on_nonsense),
  };
  return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
