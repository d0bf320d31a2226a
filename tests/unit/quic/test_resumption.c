/* SPDX-License-Identifier: MIT */

/*
 * src/quic/resumption.c: what is given back, what is forgotten first, and that nothing is freed that still holds a secret.
 * For the last, base/mem.h is replaced here by an allocator that looks at each block before it frees it.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "quic/resumption.h"

static const char marker[] = "a-secret"; /* in everything that is remembered here */

/* --- The allocator --- */

static size_t left_to_fail = SIZE_MAX;
static int64_t live;
static unsigned wiped; /* blocks that were wiped */

struct block {
  size_t size;
  max_align_t data[];
};

void *wt__malloc(size_t size) {
  if (left_to_fail != SIZE_MAX && left_to_fail-- == 0) {
    left_to_fail = SIZE_MAX;
    return NULL;
  }
  struct block *block = malloc(sizeof(*block) + size);
  assert_non_null(block);
  block->size = size;
  live++;
  return block->data;
}

void *wt__calloc(size_t count, size_t size) {
  void *data = wt__malloc(count * size);
  return data ? memset(data, 0, count * size) : NULL;
}

void *wt__realloc(void *ptr, size_t size) {
  (void)ptr;
  (void)size;
  fail_msg("a secret would be left behind");
  return NULL;
}

void wt__free(void *ptr) {
  if (!ptr) return;
  struct block *block = (struct block *)(void *)((char *)ptr - offsetof(struct block, data));
  if (memmem(block->data, block->size, marker, strlen(marker))) fail_msg("a block with a secret was freed");
  live--;
  free(block);
}

char *wt__strndup(const char *s, size_t len) {
  char *copy = wt__malloc(len + 1);
  if (!copy) return NULL;
  memcpy(copy, s, len);
  copy[len] = '\0';
  return copy;
}

char *wt__strdup(const char *s) { return wt__strndup(s, strlen(s)); }

void wt__wipe(void *ptr, size_t len) {
  wiped++;
  memset(ptr, 0, len);
}

void wt__mem_fail_after(size_t count) { left_to_fail = count; }

int64_t wt__mem_live(void) { return live; }

/* --- The tests --- */

static struct wt__resumption *store;

static int set_up(void **state) {
  (void)state;
  wiped = 0;
  store = wt__resumption_new();
  return store ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  wt__resumption_free(store);
  return wt__mem_live() == 0 ? 0 : -1;
}

static struct wt__resumption_key key_of(const char *server) { return (struct wt__resumption_key){server, 1}; }

static void put(const char *server, enum wt__resumption_kind kind, int number, int64_t expires_at) {
  char text[64];
  struct wt__resumption_key key = key_of(server);
  int len = snprintf(text, sizeof(text), "%s %d", marker, number);
  wt__resumption_put(store, &key, kind, text, (size_t)len, expires_at);
}

/* The number that `put` was given, or -1 if there is nothing. */
static int take_of(const struct wt__resumption_key *key, enum wt__resumption_kind kind, int64_t now) {
  struct wt__resumption_item *item = wt__resumption_take(store, key, kind, now);
  if (!item) return -1;
  assert_memory_equal(item->data, marker, strlen(marker));
  char digits[16] = "";
  assert_true(item->len - strlen(marker) < sizeof(digits));
  memcpy(digits, item->data + strlen(marker), item->len - strlen(marker));
  wt__resumption_item_free(item);
  return atoi(digits);
}

static int take(const char *server, enum wt__resumption_kind kind) {
  struct wt__resumption_key key = key_of(server);
  return take_of(&key, kind, 100);
}

static void test_memory_gives_each_once_and_the_latest_first(void **state) {
  (void)state;
  put("a", WT__RESUMPTION_TICKET, 1, 1000);
  put("a", WT__RESUMPTION_TICKET, 2, 1000);
  put("a", WT__RESUMPTION_TOKEN, 3, 1000);
  assert_int_equal(take("a", WT__RESUMPTION_TICKET), 2);
  assert_int_equal(take("a", WT__RESUMPTION_TICKET), 1);
  assert_int_equal(take("a", WT__RESUMPTION_TICKET), -1);
  assert_int_equal(take("a", WT__RESUMPTION_TOKEN), 3);
  assert_int_equal(take("a", WT__RESUMPTION_TOKEN), -1);
  assert_int_equal(take("never", WT__RESUMPTION_TOKEN), -1);
}

static void test_memory_tells_servers_and_versions_apart(void **state) {
  (void)state;
  put("a:1", WT__RESUMPTION_TICKET, 1, 1000);
  put("a:2", WT__RESUMPTION_TICKET, 2, 1000);
  assert_int_equal(take("a", WT__RESUMPTION_TICKET), -1);
  struct wt__resumption_key other = {"a:1", 0x6b3343cf};
  assert_int_equal(take_of(&other, WT__RESUMPTION_TICKET, 100), -1);
  assert_int_equal(take("a:1", WT__RESUMPTION_TICKET), 1);
  assert_int_equal(take("a:2", WT__RESUMPTION_TICKET), 2);
}

static void test_memory_forgets_what_has_expired(void **state) {
  (void)state;
  struct wt__resumption_key key = key_of("a");
  put("a", WT__RESUMPTION_TICKET, 1, 102);
  put("a", WT__RESUMPTION_TICKET, 2, 101);
  put("a", WT__RESUMPTION_TICKET, 3, 100);
  assert_int_equal(take_of(&key, WT__RESUMPTION_TICKET, 100), 2);
  put("a", WT__RESUMPTION_TICKET, 4, 101);
  assert_int_equal(take_of(&key, WT__RESUMPTION_TICKET, 101), 1);
  put("a", WT__RESUMPTION_TICKET, 5, 101);
  assert_int_equal(take_of(&key, WT__RESUMPTION_TICKET, 101), -1);
}

static void test_memory_is_bounded_for_a_server(void **state) {
  (void)state;
  for (int i = 0; i < WT__RESUMPTION_MAX_ITEMS + 3; i++) put("a", WT__RESUMPTION_TOKEN, i, 1000);
  for (int i = WT__RESUMPTION_MAX_ITEMS + 2; i >= 3; i--) assert_int_equal(take("a", WT__RESUMPTION_TOKEN), i);
  assert_int_equal(take("a", WT__RESUMPTION_TOKEN), -1);
}

static void test_memory_forgets_the_least_recently_used_server(void **state) {
  (void)state;
  char name[16];
  for (int i = 0; i < WT__RESUMPTION_MAX_SERVERS; i++) {
    (void)snprintf(name, sizeof(name), "s%d", i);
    put(name, WT__RESUMPTION_TICKET, i, 1000);
    put(name, WT__RESUMPTION_TOKEN, i, 1000);
  }
  int64_t full = wt__mem_live();
  assert_int_equal(take("s0", WT__RESUMPTION_TOKEN), 0); /* s0 is used: s1 is next to go */
  put("new", WT__RESUMPTION_TICKET, 7, 1000);
  assert_true(wt__mem_live() <= full);
  assert_int_equal(take("s1", WT__RESUMPTION_TICKET), -1);
  assert_int_equal(take("s0", WT__RESUMPTION_TICKET), 0);
  assert_int_equal(take("s2", WT__RESUMPTION_TICKET), 2);
  assert_int_equal(take("new", WT__RESUMPTION_TICKET), 7);
  for (int i = 0; i < 1000; i++) {
    (void)snprintf(name, sizeof(name), "t%d", i);
    put(name, WT__RESUMPTION_TICKET, i, 1000);
  }
  assert_true(wt__mem_live() <= full);
}

static void test_memory_keeps_no_empty_server(void **state) {
  (void)state;
  int64_t before = wt__mem_live();
  put("a", WT__RESUMPTION_TOKEN, 1, 1000);
  put("b", WT__RESUMPTION_TOKEN, 1, 1); /* expired */
  assert_int_equal(take("a", WT__RESUMPTION_TOKEN), 1);
  assert_int_equal(take("b", WT__RESUMPTION_TOKEN), -1);
  assert_int_equal(wt__mem_live(), before);
}

static void test_memory_refuses_what_is_empty_or_too_long(void **state) {
  (void)state;
  static const size_t max[WT__RESUMPTION_KINDS] = {WT__RESUMPTION_MAX_TICKET, WT__RESUMPTION_MAX_TOKEN};
  static uint8_t data[WT__RESUMPTION_MAX_TICKET + 1];
  struct wt__resumption_key key = key_of("a");
  for (int kind = 0; kind < WT__RESUMPTION_KINDS; kind++) {
    wt__resumption_put(store, &key, (enum wt__resumption_kind)kind, data, 0, 1000);
    wt__resumption_put(store, &key, (enum wt__resumption_kind)kind, data, max[kind] + 1, 1000);
    assert_null(wt__resumption_take(store, &key, (enum wt__resumption_kind)kind, 1));
    wt__resumption_put(store, &key, (enum wt__resumption_kind)kind, data, max[kind], 1000);
    struct wt__resumption_item *item = wt__resumption_take(store, &key, (enum wt__resumption_kind)kind, 1);
    assert_non_null(item);
    assert_int_equal(item->len, max[kind]);
    wt__resumption_item_free(item);
  }
}

/* `wt__free` above fails the test if a block is freed with what was remembered still in it. */
static void test_memory_wipes_on_every_way_out(void **state) {
  (void)state;
  for (int i = 0; i < WT__RESUMPTION_MAX_ITEMS + 1; i++) put("a", WT__RESUMPTION_TICKET, i, 1000); /* pushed out */
  assert_int_equal(wiped, 1);
  assert_int_equal(take("a", WT__RESUMPTION_TICKET), WT__RESUMPTION_MAX_ITEMS); /* taken */
  assert_int_equal(wiped, 2);
  put("b", WT__RESUMPTION_TOKEN, 1, 1);
  assert_int_equal(take("b", WT__RESUMPTION_TOKEN), -1); /* expired */
  assert_int_equal(wiped, 3);
  wt__mem_fail_after(1);
  put("c", WT__RESUMPTION_TOKEN, 1, 1000); /* no memory for the server */
  assert_int_equal(wiped, 4);
  wt__resumption_free(store); /* what was left of "a" */
  assert_int_equal(wiped, 4 + WT__RESUMPTION_MAX_ITEMS - 1);
  assert_int_equal(wt__mem_live(), 0);
  store = NULL;
}

static void test_memory_without_memory_only_forgets(void **state) {
  (void)state;
  put("a", WT__RESUMPTION_TICKET, 1, 1000);
  int64_t before = wt__mem_live();
  for (size_t n = 0; n < 3; n++) { /* the item, the server, its name */
    wt__mem_fail_after(n);
    put("b", WT__RESUMPTION_TICKET, 2, 1000);
    wt__mem_fail_after(SIZE_MAX);
    assert_int_equal(wt__mem_live(), before);
    assert_int_equal(take("b", WT__RESUMPTION_TICKET), -1);
  }
  put("b", WT__RESUMPTION_TICKET, 2, 1000);
  assert_int_equal(take("b", WT__RESUMPTION_TICKET), 2);
  assert_int_equal(take("a", WT__RESUMPTION_TICKET), 1);
  wt__mem_fail_after(0);
  assert_null(wt__resumption_new());
  wt__mem_fail_after(SIZE_MAX);
  wt__resumption_free(NULL);
  wt__resumption_item_free(NULL);
}

static void test_memory_takes_back_what_was_not_used(void **state) {
  (void)state;
  struct wt__resumption_key key = key_of("a");
  put("a", WT__RESUMPTION_TICKET, 1, 1000);
  struct wt__resumption_item *item = wt__resumption_take(store, &key, WT__RESUMPTION_TICKET, 100);
  wt__resumption_give_back(store, &key, WT__RESUMPTION_TICKET, item); /* the server was forgotten meanwhile */
  wt__resumption_give_back(store, &key, WT__RESUMPTION_TICKET, NULL);
  put("a", WT__RESUMPTION_TICKET, 2, 1000);
  assert_int_equal(take("a", WT__RESUMPTION_TICKET), 2);
  assert_int_equal(take("a", WT__RESUMPTION_TICKET), 1);
  assert_int_equal(take("a", WT__RESUMPTION_TICKET), -1);

  put("a", WT__RESUMPTION_TICKET, 3, 1000);
  item = wt__resumption_take(store, &key, WT__RESUMPTION_TICKET, 100);
  for (int i = 0; i < WT__RESUMPTION_MAX_ITEMS; i++) put("a", WT__RESUMPTION_TICKET, 10 + i, 1000);
  wt__resumption_give_back(store, &key, WT__RESUMPTION_TICKET, item); /* those are newer */
  for (int i = WT__RESUMPTION_MAX_ITEMS; i-- > 0;) assert_int_equal(take("a", WT__RESUMPTION_TICKET), 10 + i);
  assert_int_equal(take("a", WT__RESUMPTION_TICKET), -1);

  put("a", WT__RESUMPTION_TOKEN, 4, 1000);
  item = wt__resumption_take(store, &key, WT__RESUMPTION_TOKEN, 100);
  wt__mem_fail_after(0);
  wt__resumption_give_back(store, &key, WT__RESUMPTION_TOKEN, item);
  assert_int_equal(take("a", WT__RESUMPTION_TOKEN), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_memory_gives_each_once_and_the_latest_first, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_memory_tells_servers_and_versions_apart, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_memory_forgets_what_has_expired, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_memory_is_bounded_for_a_server, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_memory_forgets_the_least_recently_used_server, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_memory_keeps_no_empty_server, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_memory_takes_back_what_was_not_used, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_memory_refuses_what_is_empty_or_too_long, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_memory_wipes_on_every_way_out, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_memory_without_memory_only_forgets, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
