/* SPDX-License-Identifier: MIT */

/* src/quic/budget.c, pressure.c: which pressure follows from how much, and what workers tell each other of it. */

#include "quic/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/sched.h"
#include "quic/conn.h"
#include "quic/endpoint.h"
#include "quic/endpoint_state.h"
#include "quic/pressure.h"
#include "quic/seal.h"
#include "quic/shared.h"

#define MAX (size_t)16000000

static enum wt__pressure pressure(size_t sixteenths, int more, enum wt__pressure before) {
  return wt__budget_pressure(MAX / 16 * sixteenths + (size_t)more, MAX, before);
}

static void test_budget_pressure_rises_and_falls_later(void **state) {
  (void)state;
  for (int before = WT__PRESSURE_NONE; before <= WT__PRESSURE_FULL; before++) {
    assert_int_equal(pressure(0, 0, before), WT__PRESSURE_NONE);
    assert_int_equal(pressure(7, -1, before), WT__PRESSURE_NONE);
    assert_int_equal(pressure(8, 0, before), WT__PRESSURE_HIGH);
    assert_int_equal(pressure(11, -1, before), WT__PRESSURE_HIGH);
    assert_int_equal(pressure(12, 0, before), WT__PRESSURE_FULL);
    assert_int_equal(pressure(100, 0, before), WT__PRESSURE_FULL);
  }
  assert_int_equal(pressure(8, -1, WT__PRESSURE_NONE), WT__PRESSURE_NONE);
  assert_int_equal(pressure(7, 0, WT__PRESSURE_HIGH), WT__PRESSURE_HIGH);
  assert_int_equal(pressure(12, -1, WT__PRESSURE_HIGH), WT__PRESSURE_HIGH);
  assert_int_equal(pressure(11, 0, WT__PRESSURE_FULL), WT__PRESSURE_FULL);
}

static void test_budget_of_huge_and_small_limits(void **state) {
  (void)state;
  assert_int_equal(wt__budget_pressure(SIZE_MAX / 2, SIZE_MAX, WT__PRESSURE_NONE), WT__PRESSURE_HIGH);
  assert_int_equal(wt__budget_pressure(SIZE_MAX / 4, SIZE_MAX, WT__PRESSURE_NONE), WT__PRESSURE_NONE);
  assert_int_equal(wt__budget_step(SIZE_MAX), WT__BUDGET_STEP);
  assert_int_equal(wt__budget_step(1 << 20), 4096);
}

/* --- Workers. Nothing but what the budget looks at is there. --- */

struct worker {
  struct wt__endpoint endpoint;
  struct wt__gauge gauge; /* of its only connection */
};

static void worker_init(struct worker *worker, struct wt__shared *shared) {
  memset(worker, 0, sizeof(*worker));
  worker->endpoint.shared = shared;
  worker->endpoint.config.max_memory = MAX;
  worker->endpoint.gauge.share = SIZE_MAX;
  worker->gauge.sum = &worker->endpoint.gauge;
  wt__list_init(&worker->endpoint.conns);
}

/* Its connection holds `bytes` from now on; it looks at that. */
static void worker_hold(struct worker *worker, size_t bytes) {
  wt__gauge_remove(&worker->gauge, worker->gauge.bytes);
  wt__gauge_add(&worker->gauge, bytes);
  wt__endpoint_update_budget(&worker->endpoint);
}

static void test_budget_is_that_of_all_workers(void **state) {
  struct wt__shared shared;
  struct worker a, b;
  (void)state;
  assert_int_equal(wt__shared_init(&shared), 0);
  atomic_store(&shared.connections, 10);
  worker_init(&a, &shared);
  worker_init(&b, &shared);

  worker_hold(&a, MAX / 16 * 5);
  assert_int_equal(a.endpoint.gauge.pressure, WT__PRESSURE_NONE);
  worker_hold(&b, MAX / 16 * 5);
  assert_int_equal(b.endpoint.gauge.pressure, WT__PRESSURE_HIGH);
  assert_int_equal(a.endpoint.gauge.pressure, WT__PRESSURE_NONE); /* has not looked yet */
  wt__endpoint_update_budget(&a.endpoint);
  assert_int_equal(a.endpoint.gauge.pressure, WT__PRESSURE_HIGH);
  assert_int_equal(a.endpoint.gauge.share, SIZE_MAX);

  worker_hold(&a, MAX / 16 * 8);
  wt__endpoint_update_budget(&b.endpoint);
  assert_int_equal(b.endpoint.gauge.pressure, WT__PRESSURE_FULL);
  assert_int_equal(b.endpoint.gauge.share, MAX / 4 * 3 / 10 + WT__BUDGET_SHARE_MORE);
  atomic_store(&shared.connections, 0);
  wt__endpoint_update_budget(&b.endpoint);
  assert_int_equal(b.endpoint.gauge.share, MAX / 4 * 3 + WT__BUDGET_SHARE_MORE);

  worker_hold(&a, 0);
  wt__endpoint_update_budget(&b.endpoint);
  assert_int_equal(b.endpoint.gauge.pressure, WT__PRESSURE_NONE);
  assert_int_equal(b.endpoint.gauge.share, SIZE_MAX);
  worker_hold(&b, 0);
  assert_int_equal(atomic_load(&shared.budget.used), 0);
  wt__shared_free(&shared);
}

static void test_budget_is_not_told_of_little_changes(void **state) {
  struct wt__shared shared;
  struct worker a;
  (void)state;
  assert_int_equal(wt__shared_init(&shared), 0);
  worker_init(&a, &shared);
  worker_hold(&a, wt__budget_step(MAX));
  assert_int_equal(atomic_load(&shared.budget.used), 0);
  worker_hold(&a, wt__budget_step(MAX) + 1);
  assert_int_equal(atomic_load(&shared.budget.used), wt__budget_step(MAX) + 1);
  worker_hold(&a, 1);
  assert_int_equal(atomic_load(&shared.budget.used), wt__budget_step(MAX) + 1);
  worker_hold(&a, 0);
  assert_int_equal(atomic_load(&shared.budget.used), 0);
  worker_hold(&a, 77);
  wt__endpoint_publish_memory(&a.endpoint);
  assert_int_equal(atomic_load(&shared.budget.used), 77);
  a.endpoint.config.max_memory = 0; /* no limit: nobody looks */
  worker_hold(&a, 10 * MAX);
  assert_int_equal(atomic_load(&shared.budget.used), 77);
  assert_int_equal(a.endpoint.gauge.pressure, WT__PRESSURE_NONE);
  wt__shared_free(&shared);
}

/* Packets of a connection that holds more than its share: small ones pass now and then. */
static void test_budget_lets_small_packets_through(void **state) {
  struct worker a;
  struct wt__conn conn;
  (void)state;
  worker_init(&a, NULL);
  memset(&conn, 0, sizeof(conn));
  conn.endpoint = &a.endpoint;
  conn.handshake_done = true;
  conn.gauge.bytes = 1000;
  a.endpoint.now = 1000 * WT__NS_PER_MS;
  assert_false(wt__conn_refuses_packet(&conn, 1200));
  a.endpoint.gauge.share = 1000;
  assert_false(wt__conn_refuses_packet(&conn, 1200));
  a.endpoint.gauge.share = 999;
  assert_true(wt__conn_refuses_packet(&conn, 1200));
  for (int i = 0; i < 4; i++)
    assert_false(wt__conn_refuses_packet(&conn, 40)); /* the last ones of a client that leaves */
  assert_true(wt__conn_refuses_packet(&conn, 40));
  a.endpoint.now += 100 * WT__NS_PER_MS;
  assert_true(wt__conn_refuses_packet(&conn, 101));
  assert_false(wt__conn_refuses_packet(&conn, 100));
  assert_true(wt__conn_refuses_packet(&conn, 100));
  a.endpoint.now += 1000 * WT__NS_PER_MS; /* no more than four are saved up */
  for (int i = 0; i < 4; i++) assert_false(wt__conn_refuses_packet(&conn, 40));
  assert_true(wt__conn_refuses_packet(&conn, 40));
  conn.handshake_done = false; /* handshakes come to their end */
  assert_false(wt__conn_refuses_packet(&conn, 1200));
  assert_int_equal(a.endpoint.stats.memory_refused_packets, 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_budget_pressure_rises_and_falls_later),
      cmocka_unit_test(test_budget_of_huge_and_small_limits),
      cmocka_unit_test(test_budget_is_that_of_all_workers),
      cmocka_unit_test(test_budget_is_not_told_of_little_changes),
      cmocka_unit_test(test_budget_lets_small_packets_through),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
