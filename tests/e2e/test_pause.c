/* SPDX-License-Identifier: MIT */

/*
 * A server that did not run for a while: it was stopped, its machine slept, or had others to run. What its clients sent meanwhile
 * waits in the socket, and must be read before the server takes them for silent.
 *
 * Both are on loops of their own in one thread, and only the server's clock is moved: `uv_hrtime` is this file's.
 */

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "bed.h"

#define CLIENTS 80 /* an event reads 64 packets; the smallest receive buffer has room for some 180 */
#define SECOND UINT64_C(1000000000)
#define IDLE_TURNS 3 /* that find nothing to do, one after the other */
#define TURNS_MAX_HERE 100000

static uint64_t server_ahead; /* of the clock */
static bool server_runs;

uint64_t uv_hrtime(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec + (server_runs ? server_ahead : 0);
}

/* Whether it has nothing to do. */
static bool server_turn(struct bed *bed) {
  struct pollfd entry = {.fd = wt_server_fd(bed->server), .events = POLLIN};
  server_runs = true;
  bool quiet = poll(&entry, 1, 0) == 0 && wt_server_timeout_ms(bed->server) != 0;
  assert_int_equal(wt_server_turn(bed->server), 0);
  server_runs = false;
  return quiet;
}

static bool client_turn(struct bed *bed) {
  struct pollfd entry = {.fd = wt_client_fd(bed->pair.client), .events = POLLIN};
  bool quiet = poll(&entry, 1, 0) == 0 && wt_client_timeout_ms(bed->pair.client) != 0;
  assert_true(wt_client_turn(bed->pair.client) >= 0);
  return quiet;
}

static void settle(struct bed *bed, bool (*turn)(struct bed *bed)) {
  int quiet = 0, left = TURNS_MAX_HERE;
  while (quiet < IDLE_TURNS && --left > 0) quiet = turn(bed) ? quiet + 1 : 0;
  assert_true(left > 0);
}

static void rig_open(struct bed *bed) {
  struct wt_server_config server;
  struct wt_client_config client;
  server_ahead = 0;
  bed_config(&server, 1);
  bed_open(bed, &server, false);
  pair_client_config(&bed->pair, &client);
  client.loop = NULL;
  client.max_connections = CLIENTS;
  pair_client(&bed->pair, &client);
}

static struct guest *rig_dial(struct bed *bed, size_t *left) {
  struct guest *guests = calloc(CLIENTS, sizeof(*guests));
  assert_non_null(guests);
  *left = CLIENTS;
  for (size_t i = 0; i < CLIENTS; i++) guest_dial(&guests[i], bed, bed->pair.url, left, guest_on_done);
  return guests;
}

static void rig_run(struct bed *bed, const size_t *left) {
  while (*left > 0) {
    (void)client_turn(bed);
    (void)server_turn(bed);
  }
}

static void rig_close(struct bed *bed, struct guest *guests) {
  for (size_t i = 0; i < CLIENTS; i++) {
    assert_int_equal(guests[i].dialed.error, 0);
    assert_int_equal(guests[i].dialed.closes, 0);
    assert_true(guests[i].fin && !guests[i].wrong);
  }
  assert_int_equal(bed_stats(bed).connections_open, CLIENTS);
  server_runs = true; /* its clock does not go back */
  bed_close(bed);
  server_runs = false;
  free(guests);
}

static bool has_sent(const struct guest *guest) {
  struct wt_session_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_session_get_stats(guest->dialed.session, &stats), 0);
  return stats.datagrams_sent > 0;
}

/* Each client has sent something before its idle timeout, and the server wakes up after that time. */
static void test_pause_does_not_count_as_silence_of_clients(void **state) {
  (void)state;
  struct bed bed;
  size_t left;
  rig_open(&bed);
  struct guest *guests = rig_dial(&bed, &left);
  rig_run(&bed, &left);
  settle(&bed, server_turn);
  settle(&bed, client_turn);
  for (size_t i = 0; i < CLIENTS; i++) {
    assert_int_equal(wt_session_send_datagram(guests[i].dialed.session, "x", 1), 0);
  }
  for (size_t i = 0; i < CLIENTS; i++) {
    while (!has_sent(&guests[i])) (void)client_turn(&bed);
  }
  settle(&bed, client_turn);
  server_ahead = 40 * SECOND;
  settle(&bed, server_turn);
  settle(&bed, client_turn);
  rig_close(&bed, guests);
}

/* The client's part of each handshake waits while the time for it passes. */
static void test_pause_does_not_end_handshakes(void **state) {
  (void)state;
  struct bed bed;
  size_t left;
  rig_open(&bed);
  struct guest *guests = rig_dial(&bed, &left);
  settle(&bed, client_turn);
  settle(&bed, server_turn);
  settle(&bed, client_turn);
  server_ahead = 15 * SECOND;
  rig_run(&bed, &left);
  rig_close(&bed, guests);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pause_does_not_count_as_silence_of_clients),
      cmocka_unit_test(test_pause_does_not_end_handshakes),
  };
  return cmocka_run_group_tests_name("pause", tests, NULL, NULL);
}
