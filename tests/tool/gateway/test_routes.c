/* SPDX-License-Identifier: MIT */
/* The table of routes, and lookups of literal addresses. */
#include <netinet/in.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <uv.h>

#include "gateway/routes.h"

static uv_loop_t loop;
static int ready_calls;

static void on_ready(struct routes *routes, void *user_data) {
  (void)routes, (void)user_data;
  ready_calls++;
}

static struct route_settings *settings_new(const char *path, const char *url) {
  static struct route_settings defaults;
  char message[200];
  struct route_settings *settings = calloc(1, sizeof *settings);
  assert_non_null(settings);
  route_settings_default(&defaults);
  assert_true(route_settings_begin(settings, &defaults, path, message, sizeof message));
  assert_true(route_settings_set(settings, "backend", url, message, sizeof message));
  return settings;
}

static struct routes *routes_of(const struct routes *before, const char *const (*list)[2], size_t count) {
  struct route_settings *settings[8] = {NULL};
  for (size_t i = 0; i < count; i++) settings[i] = settings_new(list[i][0], list[i][1]);
  struct routes *routes = routes_new(&loop, settings, count, before, on_ready, NULL);
  for (size_t i = 0; i < count; i++) free(settings[i]);
  assert_non_null(routes);
  return routes;
}

static void test_the_longest_path_wins(void **state) {
  static const char *const list[][2] = {
      {"/", "unix:/a"}, {"/a/", "unix:/b"}, {"/a/b", "unix:/c"}, {"/a/b/", "unix:/d"}};
  (void)state;
  struct routes *routes = routes_of(NULL, list, 4);
  assert_int_equal(ready_calls, 1);
  assert_string_equal(routes_find(routes, "/x")->settings.target.path, "/a");
  assert_string_equal(routes_find(routes, "/a")->settings.target.path, "/a");
  assert_string_equal(routes_find(routes, "/a/")->settings.target.path, "/b");
  assert_string_equal(routes_find(routes, "/a/b")->settings.target.path, "/c");
  assert_string_equal(routes_find(routes, "/a/b/c")->settings.target.path, "/d");
  assert_string_equal(routes_find(routes, "/a/bc")->settings.target.path, "/b");
  assert_null(routes_find(routes, ""));
  routes_free(routes);
}

static void test_sessions_keep_their_route(void **state) {
  static const char *const before[][2] = {{"/a", "unix:/one"}, {"/b", "unix:/b"}};
  static const char *const after[][2] = {{"/a", "unix:/two"}};
  (void)state;
  struct routes *old = routes_of(NULL, before, 2);
  struct route *route = routes_find(old, "/a");
  route->counts->sessions_total = 7;
  route_use(route);
  struct routes *new = routes_of(old, after, 1);
  routes_free(old);
  assert_string_equal(route->settings.target.path, "/one");
  assert_string_equal(routes_find(new, "/a")->settings.target.path, "/two");
  assert_int_equal(routes_find(new, "/a")->counts->sessions_total, 7);
  route->counts->sessions_total++;
  assert_int_equal(routes_find(new, "/a")->counts->sessions_total, 8);
  assert_null(routes_find(new, "/b"));
  routes_free(new);
  route_release(route);
}

static void test_literal_addresses(void **state) {
  static const char *const list[][2] = {{"/a", "tcp://127.0.0.1:22"}, {"/b", "udp://[::1]:53"}};
  struct lookup_address address;
  (void)state;
  ready_calls = 0;
  struct routes *routes = routes_of(NULL, list, 2);
  assert_int_equal(ready_calls, 1);
  assert_true(lookup_get(routes->list[0]->lookup, 0, &address));
  assert_int_equal(address.address.ss_family, AF_INET);
  assert_int_equal(ntohs(((struct sockaddr_in *)(void *)&address.address)->sin_port), 22);
  assert_false(lookup_get(routes->list[0]->lookup, 1, &address));
  assert_true(lookup_get(routes->list[1]->lookup, 0, &address));
  assert_int_equal(address.address.ss_family, AF_INET6);
  routes_free(routes);
}

/* A name is looked up on another thread; the routes are ready after that. */
static void test_names_are_waited_for(void **state) {
  static const char *const list[][2] = {{"/a", "tcp://localhost:22"}, {"/b", "tcp://no-such-name.invalid:1"}};
  struct lookup_address address;
  (void)state;
  ready_calls = 0;
  struct routes *routes = routes_of(NULL, list, 2);
  assert_int_equal(ready_calls, 0);
  while (!ready_calls) uv_run(&loop, UV_RUN_ONCE);
  assert_true(lookup_get(routes->list[0]->lookup, 0, &address));
  assert_false(lookup_get(routes->list[1]->lookup, 0, &address));
  routes_free(routes);
}

static int setup(void **state) {
  (void)state;
  return uv_loop_init(&loop);
}

static int teardown(void **state) {
  (void)state;
  uv_run(&loop, UV_RUN_DEFAULT);
  return uv_loop_close(&loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_longest_path_wins),
      cmocka_unit_test(test_sessions_keep_their_route),
      cmocka_unit_test(test_literal_addresses),
      cmocka_unit_test(test_names_are_waited_for),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
