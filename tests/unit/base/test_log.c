/* SPDX-License-Identifier: MIT */

/* src/base/log.c: levels, cleaning, cutting, and the way to standard error. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

struct capture {
  int lines;
  enum wt_log_level level;
  char line[4096];
};

static void capture_line(enum wt_log_level level, const char *line, void *user_data) {
  struct capture *capture = user_data;
  capture->lines++;
  capture->level = level;
  snprintf(capture->line, sizeof(capture->line), "%s", line);
}

static int formatted;

static int count_formatting(void) { return ++formatted; }

static void test_log_formats_for_the_function(void **state) {
  (void)state;
  struct capture capture = {0};
  struct wt__log log = {WT_LOG_DEBUG, capture_line, &capture};
  WT__INFO(&log, "session %d: %s", 4, "open");
  assert_int_equal(capture.lines, 1);
  assert_int_equal(capture.level, WT_LOG_INFO);
  assert_string_equal(capture.line, "session 4: open");
  WT__ERROR(&log, "plain");
  assert_int_equal(capture.level, WT_LOG_ERROR);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_log_level_is_tested_before_formatting(void **state) {
  (void)state;
  struct capture capture = {0};
  struct wt__log log = {WT_LOG_WARN, capture_line, &capture};
  struct wt__log *none = NULL;
  formatted = 0;
  WT__DEBUG(&log, "%d", count_formatting());
  WT__INFO(&log, "%d", count_formatting());
  WT__ERROR(none, "%d", count_formatting());
  assert_int_equal(formatted, 0);
  assert_int_equal(capture.lines, 0);
  WT__WARN(&log, "%d", count_formatting());
  assert_int_equal(capture.lines, 1);
  log.level = WT_LOG_NONE;
  WT__ERROR(&log, "%d", count_formatting());
  assert_int_equal(capture.lines, 1);
  assert_int_equal(formatted, 1);
}

static void test_log_replaces_control_characters(void **state) {
  (void)state;
  struct capture capture = {0};
  struct wt__log log = {WT_LOG_DEBUG, capture_line, &capture};
  WT__DEBUG(&log, "a\nb\r\x1b[31m\x7f\tc \xc3\xa9 \xc2\x9b \xc2\xa9 \xc2");
  assert_string_equal(capture.line, "a?b??[31m??c \xc3\xa9 ?? \xc2\xa9 \xc2");
}

static void test_log_cuts_long_lines(void **state) {
  (void)state;
  struct capture capture = {0};
  struct wt__log log = {WT_LOG_DEBUG, capture_line, &capture};
  char text[1025];
  memset(text, 'x', sizeof(text));
  text[1023] = '\0';
  WT__DEBUG(&log, "%s", text);
  assert_string_equal(capture.line, text); /* the longest that fits */
  text[1023] = 'x';
  text[1024] = '\0';
  WT__DEBUG(&log, "%s", text);
  assert_int_equal(strlen(capture.line), 1023);
  assert_string_equal(capture.line + 1020, "...");
  assert_int_equal(capture.line[1019], 'x');
}

/* Runs one line through standard error, into a file. */
static void read_stderr(const struct wt__log *log, enum wt_log_level level, char *text, size_t size) {
  FILE *file = tmpfile();
  assert_non_null(file);
  fflush(stderr);
  int saved = dup(STDERR_FILENO);
  assert_true(saved >= 0);
  assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
  wt__log_write(log, level, "port %d", 4433);
  fflush(stderr);
  assert_true(dup2(saved, STDERR_FILENO) >= 0);
  close(saved);
  rewind(file);
  size_t n = fread(text, 1, size - 1, file);
  text[n] = '\0';
  fclose(file);
}

static void test_log_goes_to_stderr_without_a_function(void **state) {
  (void)state;
  const struct wt__log log = {WT_LOG_DEBUG, NULL, NULL};
  static const char *const names[] = {"log", "error", "warning", "info", "debug"};
  for (int level = WT_LOG_NONE; level <= WT_LOG_DEBUG; level++) {
    char text[200], expected[200];
    read_stderr(&log, (enum wt_log_level)level, text, sizeof(text));
    snprintf(expected, sizeof(expected), "webtransport: %s: port 4433\n", names[level]);
    assert_string_equal(text, expected);
  }
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_log_formats_for_the_function),
      cmocka_unit_test(test_log_level_is_tested_before_formatting),
      cmocka_unit_test(test_log_replaces_control_characters),
      cmocka_unit_test(test_log_cuts_long_lines),
      cmocka_unit_test(test_log_goes_to_stderr_without_a_function),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
