/* SPDX-License-Identifier: MIT */

/* The order and the times of attempts (net/race.c), by RFC 8305. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/race.h"

#define DELAY 250
#define RESOLUTION 50

static struct wt__address v6(int last) {
  struct wt__address address = {.len = sizeof(struct sockaddr_in6)};
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
  in6.sin6_addr.s6_addr[15] = (uint8_t)last;
  memcpy(&address.storage, &in6, sizeof(in6));
  return address;
}

static struct wt__address v4(int last) {
  struct wt__address address = {.len = sizeof(struct sockaddr_in)};
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(0xc0000200u + (unsigned)last)}};
  memcpy(&address.storage, &in, sizeof(in));
  return address;
}

static void answer(struct wt__race *race, enum wt__race_family family, int count, uint64_t now) {
  struct wt__address addresses[32];
  for (int i = 0; i < count; i++) addresses[i] = family == WT__RACE_V6 ? v6(i + 1) : v4(i + 1);
  wt__race_answer(race, family, addresses, (size_t)count, now);
}

/* 61, 62: the first and second IPv6 address; 41, 42: IPv4; 0: none now. */
static int next(struct wt__race *race, uint64_t now) {
  struct wt__address address;
  if (!wt__race_next(race, now, &address)) return 0;
  if (address.storage.ss_family == AF_INET6) {
    return 60 + ((const struct sockaddr_in6 *)(const void *)&address.storage)->sin6_addr.s6_addr[15];
  }
  return 40 + (int)(ntohl(((const struct sockaddr_in *)(const void *)&address.storage)->sin_addr.s_addr) & 255);
}

static void test_race_takes_turns_by_family_and_waits_between(void **state) {
  struct wt__race race;
  (void)state;
  wt__race_init(&race, DELAY, RESOLUTION);
  assert_true(wt__race_expiry(&race) == UINT64_MAX);
  assert_int_equal(next(&race, 0), 0);
  answer(&race, WT__RACE_V6, 3, 1000);
  answer(&race, WT__RACE_V4, 1, 1000);
  assert_int_equal(wt__race_addresses(&race), 4);
  assert_int_equal(wt__race_expiry(&race), 0);
  assert_int_equal(next(&race, 1000), 61);
  assert_int_equal(next(&race, 1000), 0);
  assert_int_equal(wt__race_expiry(&race), 1250);
  assert_int_equal(next(&race, 1249), 0);
  assert_int_equal(next(&race, 1250), 41);
  assert_int_equal(next(&race, 1500), 62);
  assert_int_equal(next(&race, 1750), 63);
  assert_true(wt__race_expiry(&race) == UINT64_MAX);
  assert_int_equal(next(&race, 9999), 0);
}

static void test_race_ipv6_begins_at_once(void **state) {
  struct wt__race race;
  (void)state;
  wt__race_init(&race, DELAY, RESOLUTION);
  answer(&race, WT__RACE_V6, 1, 10);
  assert_int_equal(next(&race, 10), 61);
  answer(&race, WT__RACE_V4, 2, 100); /* joins in */
  assert_int_equal(next(&race, 259), 0);
  assert_int_equal(next(&race, 260), 41);
  assert_int_equal(next(&race, 510), 42);
}

static void test_race_ipv4_waits_for_ipv6_a_little(void **state) {
  struct wt__race race;
  (void)state;
  wt__race_init(&race, DELAY, RESOLUTION);
  answer(&race, WT__RACE_V4, 2, 1000);
  assert_int_equal(wt__race_expiry(&race), 1050);
  assert_int_equal(next(&race, 1049), 0);
  assert_int_equal(next(&race, 1050), 41);
  answer(&race, WT__RACE_V6, 1, 1100); /* late: it is next, before the other of IPv4 */
  assert_int_equal(next(&race, 1300), 61);
  assert_int_equal(next(&race, 1550), 42);
}

static void test_race_ipv4_does_not_wait_for_an_ipv6_that_came(void **state) {
  struct wt__race race;
  (void)state;
  wt__race_init(&race, DELAY, RESOLUTION);
  answer(&race, WT__RACE_V4, 1, 1000);
  answer(&race, WT__RACE_V6, 1, 1020);
  assert_int_equal(next(&race, 1020), 61);
  wt__race_init(&race, DELAY, RESOLUTION);
  answer(&race, WT__RACE_V4, 1, 1000);
  answer(&race, WT__RACE_V6, 0, 1020);
  assert_int_equal(next(&race, 1020), 41);
  wt__race_init(&race, DELAY, RESOLUTION);
  answer(&race, WT__RACE_V6, 0, 1000);
  assert_int_equal(next(&race, 1000), 0);
  assert_true(wt__race_expiry(&race) == UINT64_MAX);
  answer(&race, WT__RACE_V4, 1, 2000);
  assert_int_equal(next(&race, 2000), 41);
}

static void test_race_goes_on_at_once_after_a_failure(void **state) {
  struct wt__race race;
  (void)state;
  wt__race_init(&race, DELAY, RESOLUTION);
  answer(&race, WT__RACE_V6, 1, 0);
  answer(&race, WT__RACE_V4, 1, 0);
  assert_int_equal(next(&race, 0), 61);
  assert_false(wt__race_lost(&race));
  wt__race_failed(&race, 7);
  assert_false(wt__race_lost(&race));
  assert_int_equal(wt__race_expiry(&race), 7);
  assert_int_equal(next(&race, 7), 41);
  assert_false(wt__race_lost(&race));
  wt__race_failed(&race, 9);
  assert_true(wt__race_lost(&race));
  assert_int_equal(next(&race, 9999), 0);
}

static void test_race_is_lost_without_addresses(void **state) {
  struct wt__race race;
  (void)state;
  wt__race_init(&race, DELAY, RESOLUTION);
  answer(&race, WT__RACE_V4, 0, 0);
  assert_false(wt__race_lost(&race)); /* the other family is not known */
  answer(&race, WT__RACE_V6, 0, 0);
  assert_true(wt__race_lost(&race));
  answer(&race, WT__RACE_V6, 1, 0); /* only the first answer counts */
  assert_int_equal(wt__race_addresses(&race), 0);
}

static void test_race_has_room_for_so_many(void **state) {
  struct wt__race race;
  (void)state;
  wt__race_init(&race, 0, 0);
  answer(&race, WT__RACE_V6, 32, 0);
  answer(&race, WT__RACE_V4, 32, 0);
  assert_int_equal(wt__race_addresses(&race), 2 * WT__ADDRESSES_MAX);
  size_t tried = 0;
  while (next(&race, 0)) tried++;
  assert_int_equal(tried, 2 * WT__ADDRESSES_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_race_takes_turns_by_family_and_waits_between),
      cmocka_unit_test(test_race_ipv6_begins_at_once),
      cmocka_unit_test(test_race_ipv4_waits_for_ipv6_a_little),
      cmocka_unit_test(test_race_ipv4_does_not_wait_for_an_ipv6_that_came),
      cmocka_unit_test(test_race_goes_on_at_once_after_a_failure),
      cmocka_unit_test(test_race_is_lost_without_addresses),
      cmocka_unit_test(test_race_has_room_for_so_many),
  };
  return cmocka_run_group_tests_name("race", tests, NULL, NULL);
}
