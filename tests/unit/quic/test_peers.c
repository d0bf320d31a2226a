/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "quic/peers.h"

static uint64_t key_of(const struct wt__peers *peers, const char *text, uint16_t port) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  if (inet_pton(AF_INET, text, &in.sin_addr) == 1) return wt__peers_key(peers, (struct sockaddr *)&in);
  assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
  return wt__peers_key(peers, (struct sockaddr *)&in6);
}

static void test_peers_counts_by_address(void **state) {
  struct wt__peers peers;
  (void)state;
  assert_int_equal(wt__peers_init(&peers), 0);
  uint64_t a = key_of(&peers, "192.0.2.1", 1), b = key_of(&peers, "192.0.2.2", 1);
  assert_int_equal(wt__peers_count(&peers, WT__PEERS_ESTABLISHED, a), 0);
  for (int i = 0; i < 3; i++) assert_int_equal(wt__peers_add(&peers, WT__PEERS_ESTABLISHED, a), 0);
  assert_int_equal(wt__peers_add(&peers, WT__PEERS_ESTABLISHED, b), 0);
  assert_int_equal(wt__peers_count(&peers, WT__PEERS_ESTABLISHED, a), 3);
  assert_int_equal(wt__peers_count(&peers, WT__PEERS_HANDSHAKES, a), 0);
  assert_int_equal(wt__peers_add(&peers, WT__PEERS_HANDSHAKES, a), 0);
  assert_int_equal(wt__peers_count(&peers, WT__PEERS_ESTABLISHED, a), 3);
  wt__peers_remove(&peers, WT__PEERS_HANDSHAKES, a);
  wt__peers_remove(&peers, WT__PEERS_ESTABLISHED, b);
  wt__peers_remove(&peers, WT__PEERS_ESTABLISHED, b);
  assert_int_equal(wt__peers_count(&peers, WT__PEERS_ESTABLISHED, b), 0);
  for (int i = 0; i < 3; i++) wt__peers_remove(&peers, WT__PEERS_ESTABLISHED, a);
  assert_int_equal(wt__peers_count(&peers, WT__PEERS_ESTABLISHED, a), 0);
  assert_int_equal(peers.counts[WT__PEERS_ESTABLISHED].len, 0);
  wt__peers_free(&peers);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_peers_takes_a_v6_network_for_one_and_ignores_ports(void **state) {
  struct wt__peers peers;
  (void)state;
  assert_int_equal(wt__peers_init(&peers), 0);
  assert_true(key_of(&peers, "192.0.2.1", 1) == key_of(&peers, "192.0.2.1", 2));
  assert_true(key_of(&peers, "192.0.2.1", 1) == key_of(&peers, "::ffff:192.0.2.1", 1));
  assert_true(key_of(&peers, "2001:db8::1", 1) == key_of(&peers, "2001:db8::ffff:2", 9));
  assert_true(key_of(&peers, "2001:db8::1", 1) != key_of(&peers, "2001:db8:0:1::1", 1));
  wt__peers_free(&peers);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_peers_counts_by_address),
      cmocka_unit_test(test_peers_takes_a_v6_network_for_one_and_ignores_ports),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
