/* SPDX-License-Identifier: MIT */

/* src/base/list.h: order, removal while walking, removal twice. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
  int number;
  struct wt__link link;
};

static int number_of(struct wt__link *link) { return WT__CONTAINER_OF(link, struct item, link)->number; }

static void test_list_keeps_order(void **state) {
  (void)state;
  struct wt__list list;
  struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
  int expected = 1;
  wt__list_init(&list);
  assert_true(wt__list_empty(&list));
  assert_null(wt__list_first(&list));
  wt__list_push_back(&list, &items[1].link);
  wt__list_push_back(&list, &items[2].link);
  wt__list_push_front(&list, &items[0].link);
  assert_int_equal(number_of(wt__list_first(&list)), 1);
  WT__LIST_FOREACH(it, next, &list) { assert_int_equal(number_of(it), expected++); }
  assert_int_equal(expected, 4);
}

static void test_list_walk_allows_removal(void **state) {
  (void)state;
  struct wt__list list;
  struct item items[5];
  int seen = 0;
  wt__list_init(&list);
  for (int i = 0; i < 5; i++) {
    items[i].number = i;
    wt__list_push_back(&list, &items[i].link);
  }
  WT__LIST_FOREACH(it, next, &list) {
    seen++;
    if (number_of(it) % 2 == 0) wt__list_remove(it);
  }
  assert_int_equal(seen, 5);
  assert_int_equal(number_of(wt__list_first(&list)), 1);
  wt__list_remove(&items[1].link);
  wt__list_remove(&items[3].link);
  assert_true(wt__list_empty(&list));
}

static void test_list_remove_twice_is_harmless(void **state) {
  (void)state;
  struct wt__list list;
  struct item a, b;
  wt__list_init(&list);
  wt__link_init(&a.link);
  wt__link_init(&b.link);
  assert_false(wt__link_linked(&a.link));
  wt__list_push_back(&list, &a.link);
  wt__list_push_back(&list, &b.link);
  assert_true(wt__link_linked(&a.link));
  wt__list_remove(&a.link);
  wt__list_remove(&a.link);
  assert_false(wt__link_linked(&a.link));
  assert_ptr_equal(wt__list_first(&list), &b.link);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_list_keeps_order),
      cmocka_unit_test(test_list_walk_allows_removal),
      cmocka_unit_test(test_list_remove_twice_is_harmless),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
