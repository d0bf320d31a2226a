/* SPDX-License-Identifier: MIT */

/* Lookups in threads (net/resolve.c), with a name server of the test's own. */

#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "net/resolve.h"

#define LOOKUPS 40

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int inside, most_inside;

static int fake_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                            struct addrinfo **found) {
  int now = atomic_fetch_add(&inside, 1) + 1, most = most_inside;
  while (now > most && !atomic_compare_exchange_weak(&most_inside, &most, now)) continue;
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  atomic_fetch_sub(&inside, 1);
  if (strcmp(host, "none.test") == 0) return EAI_NONAME;
  return getaddrinfo(hints->ai_family == AF_INET6 ? "2001:db8::1" : "192.0.2.1", service, hints, found);
}

static void on_wake(void *ctx) { (void)ctx; }

static uint64_t on_pass(void *ctx) {
  (void)ctx;
  return UINT64_MAX;
}

static const struct wt__loop_callbacks callbacks = {.on_wake = on_wake, .on_pass = on_pass};

struct fixture {
  struct wt__loop loop;
  struct wt__resolver resolver;
  int told, family, error;
  size_t count;
  int64_t live;
};

static void open_fixture(struct fixture *fixture) {
  memset(fixture, 0, sizeof(*fixture));
  fixture->live = wt__mem_live();
  assert_int_equal(wt__loop_init(&fixture->loop, NULL, &callbacks, fixture), 0);
  wt__resolver_init(&fixture->resolver, &fixture->loop);
  fixture->resolver.getaddrinfo = fake_getaddrinfo;
}

static void close_fixture(struct fixture *fixture) {
  wt__resolver_free(&fixture->resolver);
  wt__loop_free(&fixture->loop);
  while (wt__mem_live() != fixture->live) sched_yield();
}

static void on_done(void *owner, int family, const struct wt__address *addresses, size_t count, int error) {
  struct fixture *fixture = owner;
  fixture->told++;
  fixture->family = family;
  fixture->count = count;
  fixture->error = error;
  for (size_t i = 0; i < count; i++) assert_int_equal(addresses[i].storage.ss_family, family);
}

static void run_until(struct fixture *fixture, int told) {
  while (fixture->told < told) {
    wt__resolver_run(&fixture->resolver);
    sched_yield();
  }
}

static void test_resolve_each_family(void **state) {
  struct fixture fixture;
  struct wt__lookup *lookup;
  (void)state;
  open_fixture(&fixture);
  assert_int_equal(wt__resolver_ask(&fixture.resolver, "name.test", AF_INET6, on_done, &fixture, &lookup), 0);
  assert_int_equal(fixture.told, 0);
  run_until(&fixture, 1);
  assert_int_equal(fixture.family, AF_INET6);
  assert_int_equal(fixture.count, 1);
  assert_int_equal(fixture.error, 0);
  assert_int_equal(wt__resolver_ask(&fixture.resolver, "name.test", AF_INET, on_done, &fixture, &lookup), 0);
  run_until(&fixture, 2);
  assert_int_equal(fixture.family, AF_INET);
  assert_int_equal(fixture.count, 1);
  assert_int_equal(wt__resolver_ask(&fixture.resolver, "none.test", AF_INET, on_done, &fixture, &lookup), 0);
  run_until(&fixture, 3);
  assert_int_equal(fixture.count, 0);
  assert_int_equal(fixture.error, EAI_NONAME);
  assert_string_equal(wt__lookup_error(fixture.error), "the name is not known");
  assert_string_equal(wt__lookup_error(EAI_AGAIN), "no name server answered");
  assert_string_equal(wt__lookup_error(EAI_FAIL), "the name servers failed");
  close_fixture(&fixture);
}

/* An answer of the right family and the wrong length, in front of a good one. */
static int odd_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                           struct addrinfo **found) {
  static struct sockaddr_in address = {.sin_family = AF_INET};
  static struct addrinfo good = {.ai_family = AF_INET, .ai_addrlen = sizeof(address)};
  static struct addrinfo odd = {.ai_family = AF_INET, .ai_addrlen = 100, .ai_next = &good};
  (void)host, (void)service, (void)hints;
  good.ai_addr = odd.ai_addr = (struct sockaddr *)&address;
  *found = &odd;
  return 0;
}

static void odd_freeaddrinfo(struct addrinfo *found) { (void)found; }

static void test_resolve_passes_over_an_address_of_another_length(void **state) {
  struct fixture fixture;
  struct wt__lookup *lookup;
  (void)state;
  open_fixture(&fixture);
  fixture.resolver.getaddrinfo = odd_getaddrinfo;
  fixture.resolver.freeaddrinfo = odd_freeaddrinfo;
  assert_int_equal(wt__resolver_ask(&fixture.resolver, "name.test", AF_INET, on_done, &fixture, &lookup), 0);
  run_until(&fixture, 1);
  assert_int_equal(fixture.count, 1);
  close_fixture(&fixture);
}

static void test_resolve_a_bounded_number_at_a_time(void **state) {
  struct fixture fixture;
  struct wt__lookup *lookup;
  (void)state;
  open_fixture(&fixture);
  most_inside = 0;
  pthread_mutex_lock(&gate);
  for (int i = 0; i < LOOKUPS; i++) {
    assert_int_equal(wt__resolver_ask(&fixture.resolver, "name.test", AF_INET, on_done, &fixture, &lookup), 0);
  }
  while (inside < WT__LOOKUPS_MAX) sched_yield();
  assert_int_equal(fixture.resolver.running_len, WT__LOOKUPS_MAX);
  pthread_mutex_unlock(&gate);
  run_until(&fixture, LOOKUPS);
  assert_int_equal(most_inside, WT__LOOKUPS_MAX);
  close_fixture(&fixture);
  assert_int_equal(fixture.told, LOOKUPS);
}

static void test_resolve_may_be_forgotten(void **state) {
  struct fixture fixture;
  struct wt__lookup *lookups[WT__LOOKUPS_MAX + 2];
  (void)state;
  open_fixture(&fixture);
  pthread_mutex_lock(&gate);
  for (int i = 0; i < WT__LOOKUPS_MAX + 2; i++) {
    assert_int_equal(wt__resolver_ask(&fixture.resolver, "name.test", AF_INET, on_done, &fixture, &lookups[i]), 0);
  }
  wt__lookup_forget(lookups[WT__LOOKUPS_MAX]); /* one that waits */
  wt__lookup_forget(lookups[0]);               /* one that is under way: the last one takes its place */
  while (inside < WT__LOOKUPS_MAX + 1) sched_yield();
  pthread_mutex_unlock(&gate);
  run_until(&fixture, WT__LOOKUPS_MAX);
  close_fixture(&fixture);
  assert_int_equal(fixture.told, WT__LOOKUPS_MAX);
}

static void test_resolver_may_be_freed_while_threads_look(void **state) {
  struct fixture fixture;
  struct wt__lookup *lookup;
  (void)state;
  open_fixture(&fixture);
  pthread_mutex_lock(&gate);
  for (int i = 0; i < LOOKUPS; i++) {
    assert_int_equal(wt__resolver_ask(&fixture.resolver, "name.test", AF_INET, on_done, &fixture, &lookup), 0);
  }
  wt__resolver_free(&fixture.resolver);
  pthread_mutex_unlock(&gate);
  close_fixture(&fixture);
  assert_int_equal(fixture.told, 0);
}

static void test_resolve_without_memory(void **state) {
  struct fixture fixture;
  struct wt__lookup *lookup;
  (void)state;
  open_fixture(&fixture);
  for (size_t i = 0; i < 2; i++) {
    wt__mem_fail_after(i);
    assert_int_equal(wt__resolver_ask(&fixture.resolver, "a", AF_INET, on_done, &fixture, &lookup), WT_ERR_NOMEM);
    wt__mem_fail_after(SIZE_MAX);
  }
  close_fixture(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_resolve_each_family),
      cmocka_unit_test(test_resolve_a_bounded_number_at_a_time),
      cmocka_unit_test(test_resolve_may_be_forgotten),
      cmocka_unit_test(test_resolver_may_be_freed_while_threads_look),
      cmocka_unit_test(test_resolve_without_memory),
      cmocka_unit_test(test_resolve_passes_over_an_address_of_another_length),
  };
  return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
