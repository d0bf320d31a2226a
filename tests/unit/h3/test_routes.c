/* SPDX-License-Identifier: MIT */

/* src/h3/routes.c: exact patterns, prefixes, the longest wins, replacing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "h3/routes.h"

static int freed;

static void note_free(void *user_data) {
  (void)user_data;
  freed++;
}

static void handler_a(wt_request *request, void *user_data) { (void)request, (void)user_data; }
static void handler_b(wt_request *request, void *user_data) { (void)request, (void)user_data; }

static const char *found(const struct wt__routes *routes, const char *path) {
  const struct wt__route *route = wt__routes_find(routes, path);
  return route ? route->pattern : "(none)";
}

static void test_routes_longest_wins(void **state) {
  struct wt__routes routes;
  (void)state;
  wt__routes_init(&routes);
  assert_int_equal(wt__routes_set(&routes, "/static/img/", handler_a, NULL, NULL), 0);
  assert_int_equal(wt__routes_set(&routes, "/static/", handler_a, NULL, NULL), 0);
  assert_int_equal(wt__routes_set(&routes, "/static/a", handler_a, NULL, NULL), 0);
  assert_int_equal(wt__routes_set(&routes, "/echo", handler_a, NULL, NULL), 0);
  assert_string_equal(found(&routes, "/static/img/x"), "/static/img/");
  assert_string_equal(found(&routes, "/static/img"), "/static/");
  assert_string_equal(found(&routes, "/static/a"), "/static/a");
  assert_string_equal(found(&routes, "/static/ab"), "/static/");
  assert_string_equal(found(&routes, "/static/"), "/static/");
  assert_string_equal(found(&routes, "/static"), "(none)");
  assert_string_equal(found(&routes, "/echo"), "/echo");
  assert_string_equal(found(&routes, "/echo/"), "(none)");
  assert_string_equal(found(&routes, "/echo2"), "(none)");
  assert_string_equal(found(&routes, ""), "(none)");
  assert_string_equal(found(&routes, "*"), "(none)");
  assert_int_equal(wt__routes_set(&routes, "/", handler_b, NULL, NULL), 0);
  assert_string_equal(found(&routes, "/anything"), "/");
  assert_string_equal(found(&routes, "/echo"), "/echo");
  wt__routes_free(&routes);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_routes_replace_frees(void **state) {
  struct wt__routes routes;
  (void)state;
  freed = 0;
  wt__routes_init(&routes);
  assert_int_equal(wt__routes_set(&routes, "/a", handler_a, NULL, note_free), 0);
  assert_int_equal(wt__routes_set(&routes, "/a", handler_b, NULL, note_free), 0);
  assert_int_equal(freed, 1);
  assert_int_equal(routes.len, 1);
  assert_true(wt__routes_find(&routes, "/a")->handler == handler_b);
  wt__routes_free(&routes);
  assert_int_equal(freed, 2);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_routes_refuse(void **state) {
  struct wt__routes routes;
  (void)state;
  wt__routes_init(&routes);
  assert_int_equal(wt__routes_set(&routes, "a", handler_a, NULL, NULL), WT_ERR_INVALID);
  assert_int_equal(wt__routes_set(&routes, "", handler_a, NULL, NULL), WT_ERR_INVALID);
  assert_int_equal(wt__routes_set(&routes, NULL, handler_a, NULL, NULL), WT_ERR_INVALID);
  assert_int_equal(wt__routes_set(&routes, "/a", NULL, NULL, NULL), WT_ERR_INVALID);
  assert_int_equal(routes.len, 0);
  wt__routes_free(&routes);
}

static void test_routes_without_memory(void **state) {
  (void)state;
  for (size_t after = 0; after < 2; after++) {
    struct wt__routes routes;
    wt__routes_init(&routes);
    wt__mem_fail_after(after);
    assert_int_equal(wt__routes_set(&routes, "/a", handler_a, NULL, NULL), WT_ERR_NOMEM);
    wt__mem_fail_after(SIZE_MAX);
    assert_null(wt__routes_find(&routes, "/a"));
    assert_int_equal(wt__routes_set(&routes, "/a", handler_a, NULL, NULL), 0);
    wt__routes_free(&routes);
  }
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_routes_longest_wins),
      cmocka_unit_test(test_routes_replace_frees),
      cmocka_unit_test(test_routes_refuse),
      cmocka_unit_test(test_routes_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
