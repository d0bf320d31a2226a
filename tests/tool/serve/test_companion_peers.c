/* SPDX-License-Identifier: MIT */
/* The companion's connections on a clock of the test's: who gets in, who gives way, and when each one's time is
 * over. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "serve/companion_peers.h"

static struct peers peers;
static int next_fd;

static int setup(void **state) {
  (void)state;
  peers_init(&peers, 1024);
  next_fd = 1000;
  return 0;
}

static const struct sockaddr *address(const char *text) {
  static struct sockaddr_in v4;
  static struct sockaddr_in6 v6;
  v4 = (struct sockaddr_in){.sin_family = AF_INET};
  v6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) return (const struct sockaddr *)&v4;
  assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
  return (const struct sockaddr *)&v6;
}

static bool room(const char *from, int64_t now, struct peer **victim) {
  return peers_room(&peers, address(from), now, victim);
}

static struct peer *add(const char *from, int64_t now) {
  struct peer *victim;
  assert_true(room(from, now, &victim));
  return peers_add(&peers, next_fd++, address(from), now);
}

static void test_each_wait_has_an_absolute_end(void **state) {
  (void)state;
  struct peer *peer = add("127.0.0.1", 0);
  assert_null(peers_overdue(&peers, PEER_HEAD_MS - 1));
  assert_int_equal(peers_next_ms(&peers, 1000, 60000), PEER_HEAD_MS - 1000);
  assert_ptr_equal(peers_overdue(&peers, PEER_HEAD_MS), peer);
  peer_request(peer, 5000);
  assert_null(peers_overdue(&peers, 5000 + PEER_BODY_MS - 1));
  assert_ptr_equal(peers_overdue(&peers, 5000 + PEER_BODY_MS), peer);
  peer_answer(peer, 0, 6000);
  assert_null(peers_overdue(&peers, 6000 + PEER_ANSWER_MS - 1));
  assert_ptr_equal(peers_overdue(&peers, 6000 + PEER_ANSWER_MS), peer);
  peer_answer(peer, 100 * PEER_ANSWER_RATE, 6000);
  assert_null(peers_overdue(&peers, 6000 + PEER_ANSWER_MS + 99999));
  assert_ptr_equal(peers_overdue(&peers, 6000 + PEER_ANSWER_MS + 100000), peer);
  peer_answer(peer, UINT64_MAX, 6000);
  assert_true(peer->deadline_ms > 6000);
  peer_wait(peer, 7000);
  assert_null(peers_overdue(&peers, 7000 + PEER_KEEP_ALIVE_MS - 1));
  assert_ptr_equal(peers_overdue(&peers, 7000 + PEER_KEEP_ALIVE_MS), peer);
  peer_closed(peer);
  assert_int_equal(peers_next_ms(&peers, 0, 60000), 60000);
}

static void test_one_that_is_being_closed_is_not_overdue_again(void **state) {
  int ends[2];
  (void)state;
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  struct peer *peer = peers_add(&peers, ends[0], address("127.0.0.1"), 0);
  peer_shutdown(peer);
  assert_null(peers_overdue(&peers, INT64_MAX));
  peer_request(peer, 1); /* what had come before is still read */
  peer_wait(peer, 2);
  assert_null(peers_overdue(&peers, INT64_MAX));
  char byte;
  assert_int_equal(read(ends[1], &byte, 1), 0);
  assert_ptr_equal(peers_find(&peers, ends[0]), peer);
  peer_closed(peer);
  assert_null(peers_find(&peers, ends[0]));
  close(ends[0]);
  close(ends[1]);
}

static void test_an_address_that_has_too_many_displaces_its_own(void **state) {
  struct peer *victim, *oldest = NULL;
  (void)state;
  add("192.0.2.1", 0);
  for (int i = 0; i < PEERS_PER_ADDRESS; i++) {
    struct peer *peer = add("127.0.0.1", 10 + i);
    if (!i) oldest = peer;
  }
  assert_false(room("127.0.0.1", 5000, &victim));
  assert_ptr_equal(victim, oldest);
  assert_false(room("::ffff:127.0.0.1", 5000, &victim)); /* the same one */
  assert_true(room("127.0.0.2", 5000, &victim));
}

static void test_ipv6_addresses_count_by_their_network(void **state) {
  struct peer *victim;
  (void)state;
  for (int i = 0; i < PEERS_PER_ADDRESS; i++) add(i % 2 ? "2001:db8::1" : "2001:db8::ffff:2", 0);
  assert_false(room("2001:db8:0:0:1:2:3:4", 5000, &victim));
  assert_non_null(victim);
  assert_true(room("2001:db8:0:1::1", 5000, &victim));
}

static void test_whoever_has_most_gives_way_to_a_newcomer(void **state) {
  struct peer *victim;
  (void)state;
  struct peer *lone = add("192.0.2.1", 0);
  for (int i = 0; i < PEERS_PER_ADDRESS - 1; i++) add("192.0.2.2", 100);
  struct peer *first = add("192.0.2.3", 200);
  for (int i = 1; i < PEERS_PER_ADDRESS; i++) add("192.0.2.3", 300);
  assert_false(room("192.0.2.4", 5000, &victim));
  assert_ptr_equal(victim, first);
  assert_ptr_not_equal(victim, lone);
}

static void test_silent_ones_go_before_slow_ones_and_new_ones_last(void **state) {
  struct peer *victim, *slow = NULL, *young = NULL;
  (void)state;
  for (int i = 0; i < PEERS_PER_ADDRESS - 1; i++) {
    struct peer *peer = add("127.0.0.1", i);
    peer_request(peer, i);
    if (!i) slow = peer;
  }
  young = add("127.0.0.1", 5000);
  assert_false(room("127.0.0.1", 5000 + PEER_YOUNG_MS - 1, &victim));
  assert_ptr_equal(victim, slow); /* reads nothing, while the new one's request is on its way */
  assert_false(room("127.0.0.1", 5000 + PEER_YOUNG_MS, &victim));
  assert_ptr_equal(victim, young); /* has said nothing for a second */
}

static void test_a_flood_within_a_moment_still_leaves_room(void **state) {
  struct peer *victim;
  (void)state;
  for (int i = 0; i < PEERS_PER_ADDRESS; i++) peer_request(add("127.0.0.1", 0), 0);
  assert_false(room("127.0.0.1", 0, &victim));
  assert_non_null(victim);
}

static void test_few_descriptors_mean_few_connections(void **state) {
  (void)state;
  peers_init(&peers, 256);
  assert_int_equal(peers.max, 32);
  assert_int_equal(peers.max_per_address, 32);
  peers_init(&peers, 8);
  assert_int_equal(peers.max, PEERS_MIN);
  peers_init(&peers, 0);
  assert_int_equal(peers.max, PEERS_MAX);
  peers_init(&peers, UINT64_MAX);
  assert_int_equal(peers.max, PEERS_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_each_wait_has_an_absolute_end, setup),
      cmocka_unit_test_setup(test_one_that_is_being_closed_is_not_overdue_again, setup),
      cmocka_unit_test_setup(test_an_address_that_has_too_many_displaces_its_own, setup),
      cmocka_unit_test_setup(test_ipv6_addresses_count_by_their_network, setup),
      cmocka_unit_test_setup(test_whoever_has_most_gives_way_to_a_newcomer, setup),
      cmocka_unit_test_setup(test_silent_ones_go_before_slow_ones_and_new_ones_last, setup),
      cmocka_unit_test_setup(test_a_flood_within_a_moment_still_leaves_room, setup),
      cmocka_unit_test_setup(test_few_descriptors_mean_few_connections, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
