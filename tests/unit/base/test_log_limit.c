/* SPDX-License-Identifier: MIT */

/* src/base/log_limit.c: lines that a peer can repeat. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log_limit.h"

#define SECOND UINT64_C(1000000000)

struct capture {
  unsigned lines;
  char line[2048];
};

static void capture_line(enum wt_log_level level, const char *line, void *user_data) {
  struct capture *capture = user_data;
  (void)level;
  capture->lines++;
  snprintf(capture->line, sizeof(capture->line), "%s", line);
}

static void test_log_limit_counts_what_it_leaves_out(void **state) {
  struct capture capture = {0};
  const struct wt__log log = {.level = WT_LOG_INFO, .function = capture_line, .user_data = &capture};
  struct wt__log_limit limit;
  (void)state;
  wt__log_limit_init(&limit, 1, 3);
  for (int i = 0; i < 315; i++) WT__INFO_LIMITED(&log, &limit, SECOND, WT__EVENT("line"), "line %d", i);
  assert_int_equal(capture.lines, 3);
  assert_string_equal(capture.line, "line 2");
  WT__WARN_LIMITED(&log, &limit, 2 * SECOND, WT__EVENT("line"), "one more");
  assert_string_equal(capture.line, "one more (and 312 such lines left out)");
  WT__WARN_LIMITED(&log, &limit, 3 * SECOND, WT__EVENT("line"), "and another");
  assert_string_equal(capture.line, "and another");
}

static int evaluated;

static int evaluate(void) { return ++evaluated; }

static void test_log_limit_takes_nothing_for_lines_below_the_level(void **state) {
  struct capture capture = {0};
  const struct wt__log log = {.level = WT_LOG_WARN, .function = capture_line, .user_data = &capture};
  struct wt__log_limit limit;
  (void)state;
  wt__log_limit_init(&limit, 1, 1);
  for (int i = 0; i < 10; i++) WT__INFO_LIMITED(&log, &limit, SECOND, WT__EVENT("line"), "%d", evaluate());
  assert_int_equal(evaluated, 0);
  WT__WARN_LIMITED(&log, &limit, SECOND, WT__EVENT("line"), "%d", evaluate());
  WT__WARN_LIMITED(&log, &limit, SECOND, WT__EVENT("line"), "%d", evaluate());
  assert_int_equal(evaluated, 1); /* nothing is formatted for a line that is left out */
  assert_string_equal(capture.line, "1");
}

static void test_log_limit_of_none(void **state) {
  struct capture capture = {0};
  const struct wt__log log = {.level = WT_LOG_INFO, .function = capture_line, .user_data = &capture};
  const struct wt__log *no_log = NULL;
  struct wt__log_limit *none = NULL;
  (void)state;
  for (int i = 0; i < 50; i++) WT__INFO_LIMITED(&log, none, SECOND, WT__EVENT("line"), "line");
  assert_int_equal(capture.lines, 50);
  WT__INFO_LIMITED(no_log, none, SECOND, WT__EVENT("line"), "line");
  assert_int_equal(capture.lines, 50);
}

/* The count is what must not be cut off. */
static void test_log_limit_tells_the_count_behind_a_long_line(void **state) {
  struct capture capture = {0};
  const struct wt__log log = {.level = WT_LOG_INFO, .function = capture_line, .user_data = &capture};
  struct wt__log_limit limit;
  char text[3000];
  (void)state;
  memset(text, 'x', sizeof(text));
  text[sizeof(text) - 1] = '\0';
  wt__log_limit_init(&limit, 1, 1);
  limit.left_out = UINT64_MAX;
  WT__INFO_LIMITED(&log, &limit, SECOND, WT__EVENT("line"), "%s", text);
  assert_int_equal(strlen(capture.line), 1023);
  assert_non_null(strstr(capture.line, "x... (and 18446744073709551615 such lines left out)"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_log_limit_counts_what_it_leaves_out),
      cmocka_unit_test(test_log_limit_takes_nothing_for_lines_below_the_level),
      cmocka_unit_test(test_log_limit_of_none),
      cmocka_unit_test(test_log_limit_tells_the_count_behind_a_long_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
