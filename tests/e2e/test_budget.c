/* SPDX-License-Identifier: MIT */

/*
 * A bound on memory (`max_memory`) is that of all workers together: clients that come in numbers are refused by both
 * once both together are full, those that are in go on, and when they have gone there is room again. Also run under
 * ThreadSanitizer (label `threads`). What happens on a connection: tests/loopback/test_budget.c.
 */

#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"

#define LIMIT ((size_t)4 << 20)
#define MANY 120 /* connections: far more than fit */

static uint64_t refused(const struct wt_server_stats *stats) {
  return stats->memory_refused_connections + stats->memory_refused_requests;
}

static bool has_refused(const struct wt_server_stats *stats) { return refused(stats) > 0; }

static bool has_room(const struct wt_server_stats *stats) { return stats->memory_used < LIMIT / 4 * 3; }

/* A worker tells its counts at the end of a turn, which the client's answer may be ahead of. */
static struct wt_server_stats stats_once(struct bed *bed, bool (*are)(const struct wt_server_stats *stats)) {
  struct wt_server_stats stats = bed_stats(bed);
  for (int tries = 0; tries < 5000 && !are(&stats); tries++) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    stats = bed_stats(bed);
  }
  return stats;
}

static void test_budget_is_shared_by_workers(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  size_t left, accepted = 0;
  struct guest *guests = calloc(MANY, sizeof(*guests));
  assert_non_null(guests);
  bed_config(&config, 2);
  config.max_memory = LIMIT;
  bed_open(&bed, &config, false);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  /* One after the other: many handshakes at once hold so much that nobody's request is let through. */
  for (; accepted < MANY; accepted++) {
    struct guest *guest = &guests[accepted];
    left = 1;
    bed.pair.stop = false;
    guest_dial(guest, &bed, bed.pair.url, &left, guest_on_done);
    pair_run(&bed.pair);
    if (guest->dialed.error) break;
    assert_true(guest->fin && !guest->wrong);
  }
  struct wt_server_stats stats = stats_once(&bed, has_refused);
  assert_in_range(accepted, 10, MANY - 1);
  assert_int_equal(bed_accepted(&bed), accepted);
  assert_true(bed.accepted[0] > 0 && bed.accepted[1] > 0);
  assert_int_equal(refused(&stats), 1);
  assert_in_range(stats.memory_used, LIMIT / 2, LIMIT);

  /* Those that are in go on. */
  left = accepted;
  bed.pair.stop = false;
  for (size_t i = 0; i < accepted; i++) guest_echo(&guests[i]);
  pair_run(&bed.pair);
  for (size_t i = 0; i < accepted; i++) assert_true(guests[i].fin && !guests[i].wrong);

  /* And when they have gone, others come in. */
  wt_client_free(bed.pair.client);
  pair_client(&bed.pair, NULL);
  struct dialed dialed = {.error = WT_ERR_CLOSED};
  for (int tries = 0; tries < 1000 && dialed.error; tries++) dialed_run(&dialed, &bed.pair, bed.pair.url, NULL);
  assert_int_equal(dialed.error, 0);
  stats = stats_once(&bed, has_room);
  assert_true(has_room(&stats));
  bed_close(&bed);
  free(guests);
}

/* Without a limit the memory is counted all the same. */
static void test_budget_counts_without_a_limit(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  size_t left;
  bed_config(&config, 2);
  config.max_memory = 0;
  bed_open(&bed, &config, false);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  struct guest *guests = guests_dial(&bed, MANY, &left);
  for (size_t i = 0; i < MANY; i++) assert_int_equal(guests[i].dialed.error, 0);
  struct wt_server_stats stats = bed_stats(&bed);
  assert_true(stats.memory_used > (uint64_t)MANY * 10000);
  assert_int_equal(stats.memory_refused_connections + stats.memory_refused_requests + stats.memory_refused_packets, 0);
  wt_server_close(bed.server);
  bed_join(&bed);
  assert_int_equal(bed_stats(&bed).memory_used, 0);
  bed_close(&bed);
  free(guests);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_budget_is_shared_by_workers),
      cmocka_unit_test(test_budget_counts_without_a_limit),
  };
  return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
