/* SPDX-License-Identifier: MIT */
/* Clients by their addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/peers.h"

static const int route_a, route_b;

static void test_ports_do_not_matter(void **state) {
  struct peers peers = {0};
  (void)state;
  struct peer *one = peers_get(&peers, &route_a, "192.0.2.1:1000");
  assert_ptr_equal(peers_get(&peers, &route_a, "192.0.2.1:2000"), one);
  assert_ptr_equal(peers_get(&peers, &route_a, "[::ffff:192.0.2.1]:3"), one);
  assert_ptr_not_equal(peers_get(&peers, &route_b, "192.0.2.1:1000"), one);
  assert_ptr_not_equal(peers_get(&peers, &route_a, "192.0.2.2:1000"), one);
  peers_free(&peers);
}

static void test_a_network_of_ipv6_is_one_client(void **state) {
  struct peers peers = {0};
  (void)state;
  struct peer *one = peers_get(&peers, &route_a, "[2001:db8:1:2::1]:1");
  assert_ptr_equal(peers_get(&peers, &route_a, "[2001:db8:1:2:ffff::9]:1"), one);
  assert_ptr_not_equal(peers_get(&peers, &route_a, "[2001:db8:1:3::1]:1"), one);
  peers_free(&peers);
}

static void test_unused_peers_are_forgotten(void **state) {
  struct peers peers = {0};
  (void)state;
  struct peer *one = peers_get(&peers, &route_a, "192.0.2.1:1");
  (void)peers_get(&peers, &route_a, "192.0.2.1:2");
  peers_put(one);
  peers_sweep(&peers, 100000);
  assert_int_equal(peers.count, 1);
  (void)rate_room(&one->rate, 1000, 100000, 1000);
  rate_take(&one->rate, 1000, 1000);
  peers_put(one);
  peers_sweep(&peers, 100500); /* its rate is not full yet */
  assert_int_equal(peers.count, 1);
  peers_sweep(&peers, 103000);
  assert_int_equal(peers.count, 0);
  peers_free(&peers);
}

static void test_many_peers(void **state) {
  struct peers peers = {0};
  char address[32];
  (void)state;
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < 5000; i++) {
      snprintf(address, sizeof address, "10.%d.%d.1:%d", i / 256, i % 256, round + 1);
      struct peer *peer = peers_get(&peers, &route_a, address);
      assert_non_null(peer);
      assert_int_equal(peer->sessions++, round);
    }
  assert_int_equal(peers.count, 5000);
  peers_free(&peers);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ports_do_not_matter),
      cmocka_unit_test(test_a_network_of_ipv6_is_one_client),
      cmocka_unit_test(test_unused_peers_are_forgotten),
      cmocka_unit_test(test_many_peers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
