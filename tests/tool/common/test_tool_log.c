/* SPDX-License-Identifier: MIT */
/* The tool's log: what a peer sends must not drive a terminal, nor fill a disk. The linker puts the clock below in place of
 * the tool's (--wrap, cmake/Tests.cmake). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/tool_log.h"

static uint64_t now_s = 1000;

uint64_t __wrap_clock_ns(void);
uint64_t __wrap_clock_ns(void) { return now_s * NS_PER_S; }

static FILE *caught;
static int kept;
static char text[8192];

static int setup(void **state) {
  (void)state;
  fflush(stderr);
  kept = dup(STDERR_FILENO);
  caught = tmpfile();
  return kept < 0 || !caught || dup2(fileno(caught), STDERR_FILENO) < 0;
}

/* Gives standard error back and reads what came. */
static int teardown(void **state) {
  (void)state;
  fflush(stderr);
  dup2(kept, STDERR_FILENO);
  close(kept);
  fclose(caught);
  return 0;
}

static unsigned lines(void) {
  unsigned count = 0;
  fflush(stderr);
  rewind(caught);
  size_t len = fread(text, 1, sizeof text - 1, caught);
  text[len] = 0;
  for (const char *at = text; (at = strchr(at, '\n')); at++) count++;
  return count;
}

static void test_control_characters_are_replaced(void **state) {
  (void)state;
  log_line(WT_LOG_ERROR, "%s", "a\nb\x1b[31mc\x7f\xc2\x9bZ\xc3\xa4");
  assert_int_equal(lines(), 1);
  assert_non_null(strstr(text, "a?b?[31mc???Z\xc3\xa4"));
}

static void test_lines_of_one_kind_are_limited_and_counted(void **state) {
  struct log_limit limit = LOG_LIMIT_INIT;
  (void)state;
  for (int i = 0; i < 100; i++) log_limited(&limit, WT_LOG_ERROR, "line %d", i);
  assert_int_equal(lines(), LOG_LIMIT_BURST);
  assert_int_equal(limit.left_out, 100 - LOG_LIMIT_BURST);
  now_s += 3600;
  log_limited(&limit, WT_LOG_ERROR, "at last");
  lines();
  assert_non_null(strstr(text, "at last (and 90 such lines left out)"));
  assert_int_equal(limit.left_out, 0);
  for (int i = 0; i < 100; i++) log_limited(&limit, WT_LOG_ERROR, "more %d", i);
  assert_int_equal(lines(), 2 * LOG_LIMIT_BURST);
  now_s++; /* one line a second */
  for (int i = 0; i < 100; i++) log_limited(&limit, WT_LOG_ERROR, "again %d", i);
  assert_int_equal(lines(), 2 * LOG_LIMIT_BURST + 1);
}

static void test_sessions_lines_have_a_limit_of_their_own(void **state) {
  struct log_limit limit = LOG_LIMIT_SESSIONS;
  (void)state;
  for (int i = 0; i < 1000; i++) log_limited(&limit, WT_LOG_ERROR, "a");
  assert_int_equal(lines(), LOG_SESSION_LINES);
  assert_int_equal(limit.left_out, 1000 - LOG_SESSION_LINES);
  now_s++;
  log_limited(&limit, WT_LOG_ERROR, "b");
  assert_int_equal(limit.tokens, LOG_SESSION_LINES - 1);
}

static void test_lines_below_the_level_use_up_nothing(void **state) {
  struct log_limit limit = LOG_LIMIT_INIT;
  (void)state;
  for (int i = 0; i < 100; i++) log_limited(&limit, WT_LOG_DEBUG, "line %d", i);
  assert_int_equal(limit.left_out, 0);
  assert_int_equal(limit.tokens, LOG_LIMIT_BURST);
  assert_int_equal(lines(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_control_characters_are_replaced, setup, teardown),
      cmocka_unit_test_setup_teardown(test_lines_of_one_kind_are_limited_and_counted, setup, teardown),
      cmocka_unit_test_setup_teardown(test_sessions_lines_have_a_limit_of_their_own, setup, teardown),
      cmocka_unit_test_setup_teardown(test_lines_below_the_level_use_up_nothing, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
