/* SPDX-License-Identifier: MIT */

/* src/h3/fields.c: what is added is found again, and what may not be added leaves no trace. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "h3/fields.h"

static int add(struct wt__fields *fields, const char *name, size_t name_len, const char *value, size_t value_len) {
  return wt__fields_add(fields, (const uint8_t *)name, name_len, (const uint8_t *)value, value_len);
}

static void test_fields_find_walks_fields_of_one_name(void **state) {
  (void)state;
  struct wt__fields fields;
  wt__fields_init(&fields, 4096);
  assert_null(wt__fields_find(&fields, "a", NULL));
  assert_int_equal(wt__fields_add_text(&fields, "a", "1"), 0);
  assert_int_equal(wt__fields_add_text(&fields, "ab", ""), 0);
  assert_int_equal(wt__fields_add_text(&fields, "a", ""), 0);
  assert_int_equal(wt__fields_add_text(&fields, "a", "3"), 0);
  const char *first = wt__fields_find(&fields, "a", NULL), *second = wt__fields_find(&fields, "a", first);
  assert_string_equal(first, "1");
  assert_string_equal(second, "");
  assert_string_equal(wt__fields_find(&fields, "a", second), "3");
  assert_null(wt__fields_find(&fields, "a", wt__fields_find(&fields, "a", second)));
  assert_string_equal(wt__fields_find(&fields, "ab", NULL), "");
  assert_null(wt__fields_find(&fields, "", NULL));
  wt__fields_free(&fields);
}

/* A NUL in a value would make text of it that ends early, and one field of two. */
static void test_fields_take_nothing_that_is_not_allowed(void **state) {
  (void)state;
  static const struct {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
  } cases[] = {
      {"x", 1, "\0", 1}, {"x", 1, "a\0b", 3}, {"x", 1, "a\n", 2},  {"x", 1, "a\r\nb: c", 7}, {"x", 1, " a", 2},
      {"x", 1, "\t", 1}, {"x", 1, "\x01", 1}, {"x", 1, "\x7f", 1}, {"", 0, "a", 1},          {"\0", 1, "a", 1},
      {"X", 1, "a", 1},  {"a b", 3, "a", 1},  {"a\0b", 3, "a", 1}, {":", 1, "a", 1},
  };
  struct wt__fields fields;
  wt__fields_init(&fields, 4096);
  assert_int_equal(wt__fields_add_text(&fields, "before", "1"), 0);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    assert_int_equal(add(&fields, cases[i].name, cases[i].name_len, cases[i].value, cases[i].value_len),
                     WT_ERR_INVALID);
  }
  assert_int_equal(wt__fields_add_text(&fields, "behind", "2"), 0);
  assert_int_equal(fields.count, 2);
  assert_string_equal(wt__fields_find(&fields, "behind", NULL), "2");
  assert_null(wt__fields_find(&fields, "x", NULL));
  wt__fields_free(&fields);
}

static void test_fields_are_bounded_by_what_they_cost(void **state) {
  (void)state;
  struct wt__fields fields;
  size_t count = 0;
  wt__fields_init(&fields, 34 * 1000);
  while (wt__fields_add_text(&fields, "n", "v") == 0) count++;
  assert_int_equal(count, 1000);
  assert_int_equal(wt__fields_add_text(&fields, "n", "v"), WT_ERR_TOO_LARGE);
  wt__fields_free(&fields);
  wt__fields_init(&fields, 40);
  assert_int_equal(add(&fields, "name", 4, "value", 5), WT_ERR_TOO_LARGE);
  assert_int_equal(add(&fields, "name", SIZE_MAX, "value", 5), WT_ERR_TOO_LARGE);
  assert_int_equal(add(&fields, "name", 4, "value", SIZE_MAX), WT_ERR_TOO_LARGE);
  assert_int_equal(add(&fields, "name", 4, "valu", 4), 0);
  wt__fields_free(&fields);
}

static void test_fields_count_in_their_gauge(void **state) {
  (void)state;
  struct wt__gauge_sum sum = {0};
  struct wt__gauge gauge = {.sum = &sum};
  struct wt__fields fields;
  char name[16];
  wt__fields_init(&fields, 1 << 20);
  fields.gauge = &gauge;
  for (unsigned i = 0; i < 100; i++) {
    snprintf(name, sizeof(name), "name-%u", i);
    assert_int_equal(wt__fields_add_text(&fields, name, "some value of some length"), 0);
  }
  assert_true(gauge.bytes >= 100 * sizeof(struct wt__field) + fields.len);
  wt__fields_free(&fields);
  assert_int_equal(gauge.bytes, 0);
}

static void test_fields_that_came_more_than_once_are_joined(void **state) {
  (void)state;
  static const char *const given[] = {":path",  "/", "cookie", "sid=abc", "accept",     "a",   "cookie", "theme=dark",
                                      "x",      "1", "accept", "",        "set-cookie", "a=1", "cookie", "lang=de",
                                      "accept", "b", "y",      "2",       "set-cookie", "b=2", "z",      "3"};
  const size_t count = sizeof(given) / sizeof(given[0]) / 2;
  struct wt__fields fields;
  struct wt_header header;
  wt__fields_init(&fields, 4096);
  for (size_t i = 0; i < count; i++) assert_int_equal(wt__fields_add_text(&fields, given[2 * i], given[2 * i + 1]), 0);
  assert_int_equal(wt__fields_join(&fields), 0);
  assert_string_equal(wt__fields_value(&fields, "cookie"), "sid=abc; theme=dark; lang=de");
  assert_string_equal(wt__fields_value(&fields, "accept"), "a, , b");
  assert_string_equal(wt__fields_value(&fields, "set-cookie"), "a=1");
  assert_string_equal(wt__fields_value(&fields, "x"), "1");
  assert_null(wt__fields_value(&fields, "none"));
  for (size_t i = 0; i < count; i++) { /* what came is there as it came */
    assert_int_equal(wt__fields_at(&fields, i, true, &header), 0);
    assert_string_equal(header.name, given[2 * i]);
    assert_string_equal(header.value, given[2 * i + 1]);
  }
  assert_int_equal(wt__fields_at(&fields, count, true, &header), WT_ERR_NOT_FOUND);
  wt__fields_free(&fields);
}

/* Whatever the block holds just now, the joined text fits. */
static void test_fields_of_every_length_are_joined(void **state) {
  char value[300];
  (void)state;
  memset(value, 'v', sizeof(value));
  for (size_t i = 0; i < 3 * sizeof(value); i++) {
    size_t name_len = 1 + i % 3, len = i / 3;
    struct wt__fields fields;
    wt__fields_init(&fields, 4096);
    for (int times = 0; times < 2; times++) assert_int_equal(add(&fields, "nnn", name_len, value, len), 0);
    assert_int_equal(wt__fields_join(&fields), 0);
    assert_true(fields.len <= fields.cap);
    assert_int_equal(strlen(wt__fields_value(&fields, "nnn" + 3 - name_len)), 2 * len + 2);
    wt__fields_free(&fields);
  }
}

/* More of them than the first blocks hold, so that the text moves while it is joined. */
static void test_fields_of_many_names_are_joined(void **state) {
  (void)state;
  struct wt__fields fields;
  char name[16], value[16];
  wt__fields_init(&fields, 1 << 20);
  for (unsigned i = 0; i < 600; i++) {
    snprintf(name, sizeof(name), "n%u", i % 200);
    snprintf(value, sizeof(value), "v%u", i);
    assert_int_equal(wt__fields_add_text(&fields, name, value), 0);
  }
  assert_int_equal(wt__fields_join(&fields), 0);
  assert_int_equal(fields.joined, 200);
  assert_string_equal(wt__fields_value(&fields, "n0"), "v0, v200, v400");
  assert_string_equal(wt__fields_value(&fields, "n199"), "v199, v399, v599");
  wt__fields_free(&fields);
}

static void test_fields_at_passes_over_pseudo_header_fields(void **state) {
  (void)state;
  struct wt__fields fields;
  struct wt_header header;
  nghttp3_nv nv[4];
  wt__fields_init(&fields, 4096);
  assert_int_equal(wt__fields_at(&fields, 0, false, &header), WT_ERR_NOT_FOUND);
  assert_int_equal(wt__fields_add_text(&fields, ":status", "200"), 0);
  assert_int_equal(wt__fields_add_text(&fields, "one", "1"), 0);
  assert_int_equal(wt__fields_add_text(&fields, "two", "22"), 0);
  assert_int_equal(wt__fields_at(&fields, 1, false, &header), 0);
  assert_string_equal(header.name, "two");
  assert_string_equal(header.value, "22");
  assert_int_equal(wt__fields_at(&fields, 2, false, &header), WT_ERR_NOT_FOUND);
  assert_int_equal(wt__fields_to_nv(&fields, nv, 2), 2);
  assert_int_equal(wt__fields_to_nv(&fields, nv, 4), 3);
  assert_int_equal(nv[0].namelen, 7);
  assert_int_equal(nv[2].valuelen, 2);
  assert_memory_equal(nv[2].value, "22", 2);
  wt__fields_free(&fields);
}

/* A session takes a request's fields along, or a copy of an answer's: joined ones too, and counted to the byte. */
static void test_fields_are_moved_and_copied(void **state) {
  struct wt__gauge_sum sum = {0};
  struct wt__gauge gauge = {.sum = &sum}, other = {.sum = &sum};
  struct wt__fields from, moved, copy, none;
  struct wt_header header;
  (void)state;
  wt__fields_init(&from, 1000);
  from.gauge = &gauge;
  assert_int_equal(wt__fields_add_text(&from, ":path", "/"), 0);
  assert_int_equal(wt__fields_add_text(&from, "x-list", "a"), 0);
  assert_int_equal(wt__fields_add_text(&from, "x-list", "b"), 0);
  assert_int_equal(wt__fields_join(&from), 0);
  wt__fields_init(&moved, 0);
  wt__fields_move(&moved, &from);
  assert_null(wt__fields_value(&from, "x-list"));
  assert_int_equal(wt__fields_at(&from, 0, true, &header), WT_ERR_NOT_FOUND);
  assert_int_equal(wt__fields_add_text(&from, "x-more", "c"), 0); /* it is as it was born */
  wt__fields_free(&from);
  assert_string_equal(wt__fields_value(&moved, "x-list"), "a, b");
  assert_int_equal(moved.cap, moved.len);
  assert_int_equal(gauge.bytes, moved.cap + moved.items_cap * sizeof(*moved.items));
  wt__fields_init(&copy, 0);
  copy.gauge = &other;
  assert_int_equal(wt__fields_copy(&copy, &moved), 0);
  wt__fields_init(&none, 0);
  assert_int_equal(wt__fields_copy(&none, &from), 0);
  assert_null(wt__fields_value(&none, "x-list"));
  wt__fields_free(&moved);
  assert_int_equal(gauge.bytes, 0);
  assert_string_equal(wt__fields_value(&copy, "x-list"), "a, b");
  assert_int_equal(wt__fields_at(&copy, 0, false, &header), 0);
  assert_string_equal(header.value, "a");
  wt__fields_free(&copy);
  assert_int_equal(other.bytes, 0);
}

/* Whatever was left behind the text, a session does not keep it. */
static void test_fields_are_moved_without_a_spare_byte(void **state) {
  char value[600];
  (void)state;
  memset(value, 'v', sizeof(value));
  for (size_t len = 400; len < sizeof(value); len++) {
    struct wt__fields from, moved;
    wt__fields_init(&from, 1000);
    assert_int_equal(add(&from, "n", 1, value, len), 0);
    assert_int_equal(from.cap, from.len <= 512 ? 512 : 1024); /* a text that just fits needs no more */
    wt__fields_move(&moved, &from);
    assert_int_equal(moved.cap, moved.len);
    wt__fields_free(&moved);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fields_find_walks_fields_of_one_name),
      cmocka_unit_test(test_fields_take_nothing_that_is_not_allowed),
      cmocka_unit_test(test_fields_are_bounded_by_what_they_cost),
      cmocka_unit_test(test_fields_count_in_their_gauge),
      cmocka_unit_test(test_fields_that_came_more_than_once_are_joined),
      cmocka_unit_test(test_fields_of_every_length_are_joined),
      cmocka_unit_test(test_fields_of_many_names_are_joined),
      cmocka_unit_test(test_fields_at_passes_over_pseudo_header_fields),
      cmocka_unit_test(test_fields_are_moved_and_copied),
      cmocka_unit_test(test_fields_are_moved_without_a_spare_byte),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
