/* SPDX-License-Identifier: MIT */
/* src/h3/conditional.c: dates at their bounds, lists of tags. Whole requests with conditions are in test_files.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "h3/conditional.h"

static void expect_date(const char *text, time_t want) {
  time_t seconds = -77;
  if (!wt__http_date_read(text, &seconds)) fail_msg("not read: %s", text);
  assert_int_equal(seconds, want);
}

static void expect_no_date(const char *text) {
  time_t seconds = -77;
  if (wt__http_date_read(text, &seconds)) fail_msg("read: %s", text);
  assert_int_equal(seconds, -77);
}

static void test_conditional_dates_at_the_bounds(void **state) {
  (void)state;
  expect_date("Thu, 01 Jan 1970 00:00:00 GMT", 0);
  expect_date("Thu, 31 Dec 1970 23:59:59 GMT", 31535999);
  expect_date("Thu, 31 Dec 1970 23:59:60 GMT", 31536000); /* a leap second */
  expect_date("Mon, 01 Jan 1900 00:00:00 GMT", -2208988800);
  expect_date("Fri, 31 Dec 9999 23:59:59 GMT", 253402300799);
  expect_no_date("Thu, 00 Jan 1970 00:00:00 GMT");
  expect_no_date("Thu, 32 Jan 1970 00:00:00 GMT");
  expect_no_date("Thu, 01 Jan 1899 00:00:00 GMT");
  expect_no_date("Thu, 01 Jan 1970 24:00:00 GMT");
  expect_no_date("Thu, 01 Jan 1970 00:60:00 GMT");
  expect_no_date("Thu, 01 Jan 1970 00:00:61 GMT");
}

static void test_conditional_dates_with_other_characters(void **state) {
  static const char date[] = "Thu, 01 Jan 1970 00:00:00 GMT";
  (void)state;
  for (size_t i = 3; i < sizeof(date) - 1; i++) { /* the name of the day is not read */
    for (const char *c = "/:x"; *c; c++) {        /* what is next to the digits, and a letter */
      char bad[sizeof(date)];
      memcpy(bad, date, sizeof(date));
      if (bad[i] == *c) continue;
      bad[i] = *c;
      expect_no_date(bad);
    }
  }
  expect_no_date("Thu, 01 Jan 1970 00:00:00 GMT ");
  expect_no_date("Thu, 01 Jan 1970 00:00:00 GM");
}

static void test_conditional_dates_of_each_month_are_read_as_written(void **state) {
  (void)state;
  for (time_t day = 0; day < 400; day++) {
    char text[WT__HTTP_DATE_MAX];
    wt__http_date_write(text, day * 86400 + 3723);
    assert_int_equal(strlen(text), strlen("Thu, 01 Jan 1970 00:00:00 GMT"));
    expect_date(text, day * 86400 + 3723);
  }
}

static void test_conditional_dates_that_cannot_be_written(void **state) {
  char text[WT__HTTP_DATE_MAX];
  (void)state;
  wt__http_date_write(text, 253402300799);
  assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
  wt__http_date_write(text, 253402300800); /* the year 10000 */
  assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
  wt__http_date_write(text, -2208988800);
  assert_string_equal(text, "Mon, 01 Jan 1900 00:00:00 GMT");
  wt__http_date_write(text, -2208988801); /* before 1900 */
  assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
  wt__http_date_write(text, INT64_MAX); /* not even a year that the C library counts */
  assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
}

/* The tag is "10-20-30". */
static int none_match(const char *list) {
  struct wt__validators validators;
  wt__validators_init(&validators, 0x10, 0x20, 0x30);
  return wt__conditions_check(&(struct wt__conditions){.if_none_match = list}, &validators);
}

static int match(const char *list) {
  struct wt__validators validators;
  wt__validators_init(&validators, 0x10, 0x20, 0x30);
  return wt__conditions_check(&(struct wt__conditions){.if_match = list}, &validators);
}

static void test_conditional_lists_of_tags(void **state) {
  static const char *with[] = {"\"10-20-30\"",
                               " \t\"10-20-30\"",
                               "\"a\",\"10-20-30\"",
                               "\"a\" , \"10-20-30\"",
                               "\"\",\"10-20-30\"",
                               "x \"10-20-30\" y",
                               "\"10-20-30\",",
                               "*",
                               " *",
                               "\t*"};
  static const char *without[] = {
      "",           "\"10-20-3\"", "\"10-20-300\"",       "\"10-20-31\"",         "10-20-30",
      "\"10-20-30", "\"",          "\"a\", \"b\", \"c\"", "\"x\"10-20-30\"\"y\"", "\"a\", *"};
  (void)state;
  for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
    assert_int_equal(none_match(with[i]), 304);
    assert_int_equal(match(with[i]), 200);
  }
  for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
    assert_int_equal(none_match(without[i]), 200);
    assert_int_equal(match(without[i]), 412);
  }
}

/* A W/ belongs to the tag behind it, and only there. */
static void test_conditional_weak_tags(void **state) {
  (void)state;
  assert_int_equal(none_match("W/\"10-20-30\""), 304);
  assert_int_equal(none_match("W/\"a\", W/\"10-20-30\""), 304);
  assert_int_equal(match("W/\"10-20-30\""), 412);
  assert_int_equal(match("W/\"a\", \"10-20-30\""), 200);
  assert_int_equal(match("\"a\", W/\"10-20-30\""), 412);
  assert_int_equal(match("W/\"10-20-30\", \"10-20-30\""), 200);
  assert_int_equal(match("W/ \"10-20-30\""), 200); /* not a weak tag, but nonsense and a tag */
}

static bool allows(const char *if_range) {
  struct wt__validators validators;
  wt__validators_init(&validators, 0x10, 784111777, 0x30);
  return wt__conditions_allow_range(&(struct wt__conditions){.if_range = if_range}, &validators);
}

static void test_conditional_ranges(void **state) {
  (void)state;
  assert_true(allows(NULL));
  assert_true(allows("\"10-2ebc98a1-30\""));
  assert_false(allows("\"10-2ebc98a1-31\""));
  assert_false(allows("W/\"10-2ebc98a1-30\""));
  assert_true(allows("Sun, 06 Nov 1994 08:49:37 GMT"));
  assert_false(allows("Sun, 06 Nov 1994 08:49:38 GMT"));
  assert_false(allows("Sun, 06 Nov 1994 08:49:36 GMT"));
  assert_false(allows(""));
}

/* RFC 9110, section 13.2.2: a date counts only where there is no tag. */
static void test_conditional_order(void **state) {
  static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT", before[] = "Sun, 06 Nov 1994 08:49:36 GMT";
  static const char tag[] = "\"10-2ebc98a1-30\"", other[] = "\"x\"";
  static const struct {
    struct wt__conditions conditions;
    int status;
  } cases[] = {
      {{.if_match = tag, .if_unmodified_since = before}, 200},
      {{.if_match = other, .if_unmodified_since = date}, 412},
      {{.if_match = tag, .if_none_match = tag}, 304},
      {{.if_match = other, .if_none_match = tag}, 412},
      {{.if_unmodified_since = before, .if_none_match = tag}, 412},
      {{.if_none_match = other, .if_modified_since = date}, 200},
      {{.if_none_match = tag, .if_modified_since = before}, 304},
      {{.if_unmodified_since = "soon", .if_modified_since = date}, 304},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wt__validators validators;
    wt__validators_init(&validators, 0x10, 784111777, 0x30);
    assert_int_equal(wt__conditions_check(&cases[i].conditions, &validators), cases[i].status);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_conditional_dates_at_the_bounds),
      cmocka_unit_test(test_conditional_dates_with_other_characters),
      cmocka_unit_test(test_conditional_dates_of_each_month_are_read_as_written),
      cmocka_unit_test(test_conditional_dates_that_cannot_be_written),
      cmocka_unit_test(test_conditional_lists_of_tags),
      cmocka_unit_test(test_conditional_weak_tags),
      cmocka_unit_test(test_conditional_ranges),
      cmocka_unit_test(test_conditional_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
