/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/qlog_files.h"

#define RECORD "\x1e{\"time\":12,\"name\":\"a:b\",\"data\":{\"some\":\"text\"}}\n"

static char dir[] = "/tmp/test_qlog_files.XXXXXX";
static char lines[4096];

static void on_log(enum wt_log_level level, const char *text, void *user_data) {
  (void)user_data;
  assert_int_equal(level, WT_LOG_WARN);
  strncat(lines, text, sizeof(lines) - strlen(lines) - 2);
  strcat(lines, "\n");
}

static const struct wt__log logged = {.level = WT_LOG_WARN, .function = on_log};

static struct wt__qlog_sink sink_of(struct wt__qlog_files *files, const char *where, uint64_t max) {
  lines[0] = '\0';
  wt__qlog_files_init(files, where, "server", max, &logged);
  return wt__qlog_sink_of(files, NULL, NULL);
}

static void put(const struct wt__qlog_sink *sink, const char *connection, void **log, const char *text, bool last) {
  sink->function(connection, log, text, strlen(text), last, sink->user_data);
}

/* The file of a connection, which is removed; NULL if there is none. */
static char *taken(const char *connection, struct stat *status) {
  static char text[262144];
  char path[256];
  (void)snprintf(path, sizeof(path), "%s/%s_server.sqlog", dir, connection);
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  assert_int_equal(fstat(fileno(file), status), 0);
  text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
  fclose(file);
  (void)unlink(path);
  return text;
}

static void test_qlog_files_has_a_private_file_for_each_connection(void **state) {
  struct wt__qlog_files files;
  struct wt__qlog_sink sink = sink_of(&files, dir, WT__QLOG_FILE_MAX);
  struct stat status;
  void *a = NULL, *b = NULL;
  (void)state;
  put(&sink, "aa", &a, RECORD, false);
  put(&sink, "bb", &b, RECORD, false);
  put(&sink, "aa", &a, RECORD, false);
  assert_int_equal(files.open, 2);
  put(&sink, "aa", &a, "", true);
  put(&sink, "bb", &b, RECORD, true);
  assert_int_equal(files.open, 0);
  assert_string_equal(taken("aa", &status), RECORD RECORD);
  assert_int_equal(status.st_mode & 0777, 0600);
  assert_string_equal(taken("bb", &status), RECORD RECORD);
  assert_string_equal(lines, "");
}

static void test_qlog_files_leaves_a_file_that_exists(void **state) {
  struct wt__qlog_files files;
  struct wt__qlog_sink sink = sink_of(&files, dir, WT__QLOG_FILE_MAX);
  struct stat status;
  void *first = NULL, *second = NULL, *third = NULL;
  (void)state;
  put(&sink, "aa", &first, RECORD, true);
  put(&sink, "aa", &second, "other", false);
  put(&sink, "aa", &second, "other", true);
  put(&sink, "aa", &third, "other", true);
  assert_int_equal(files.open, 0);
  assert_string_equal(taken("aa", &status), RECORD);
  assert_non_null(strstr(lines, "aa_server.sqlog"));
  assert_non_null(strstr(lines, "the connection goes on"));
  assert_ptr_equal(strchr(lines, '\n') + 1, lines + strlen(lines)); /* once */
}

static void test_qlog_files_tells_why_it_cannot_write(void **state) {
  struct wt__qlog_files files;
  struct wt__qlog_sink sink = sink_of(&files, "/nonexistent/folder", WT__QLOG_FILE_MAX);
  void *a = NULL, *b = NULL;
  (void)state;
  put(&sink, "aa", &a, RECORD, false);
  put(&sink, "bb", &b, RECORD, true);
  put(&sink, "aa", &a, RECORD, true);
  assert_non_null(strstr(lines, "no such file"));
  assert_ptr_equal(strchr(lines, '\n') + 1, lines + strlen(lines));
}

static void test_qlog_files_cuts_a_file_at_its_bound(void **state) {
  struct wt__qlog_files files;
  struct wt__qlog_sink sink = sink_of(&files, dir, WT__QLOG_FILE_LEAST);
  struct stat status;
  void *log = NULL;
  const size_t fit = WT__QLOG_FILE_LEAST / (sizeof(RECORD) - 1);
  (void)state;
  for (size_t i = 0; i < 3 * fit; i++) put(&sink, "aa", &log, RECORD, false);
  put(&sink, "aa", &log, RECORD, true);
  const char *text = taken("aa", &status), *end = text + fit * (sizeof(RECORD) - 1);
  assert_int_equal(strncmp(end, "\x1e{\"time\":12,\"name\":\"webtransport:log_cut\",\"data\":{\"bytes\":", 51), 0);
  assert_ptr_equal(strchr(end, '\n') + 1, end + strlen(end));
}

static void test_qlog_files_bounds_how_many_are_open(void **state) {
  struct wt__qlog_files files;
  struct wt__qlog_sink sink = sink_of(&files, dir, WT__QLOG_FILE_MAX);
  struct stat status;
  void *log = NULL, *other = NULL;
  (void)state;
  files.open = WT__QLOG_FILES_OPEN;
  put(&sink, "aa", &log, RECORD, false);
  put(&sink, "bb", &other, RECORD, true);
  put(&sink, "aa", &log, RECORD, true);
  assert_null(taken("aa", &status));
  assert_int_equal(files.open, WT__QLOG_FILES_OPEN);
  assert_non_null(strstr(lines, "1024 files are open"));
  assert_ptr_equal(strchr(lines, '\n') + 1, lines + strlen(lines));
}

static void check_dir(const char *given, wt_qlog_callback function, const char *expected) {
  const char *copy;
  assert_int_equal(wt__qlog_dir_copy(&copy, given, function), 0);
  if (expected) assert_string_equal(copy, expected);
  if (!expected) assert_null(copy);
  wt__free((void *)(uintptr_t)copy);
}

static void on_qlog(const char *connection, void **log, const void *data, size_t len, bool last, void *user_data) {
  (void)connection, (void)log, (void)data, (void)len, (void)last, (void)user_data;
}

static void test_qlog_files_asks_the_environment_last(void **state) {
  struct wt__qlog_files files;
  (void)state;
  (void)unsetenv("QLOGDIR");
  check_dir(NULL, NULL, NULL);
  check_dir("a", NULL, "a");
  (void)setenv("QLOGDIR", "b", 1);
  check_dir(NULL, NULL, "b");
  check_dir("a", NULL, "a");
  check_dir("", NULL, NULL);
  check_dir(NULL, on_qlog, NULL);
  (void)setenv("QLOGDIR", "", 1);
  check_dir(NULL, NULL, NULL);
  (void)unsetenv("QLOGDIR");
  wt__qlog_files_init(&files, NULL, "client", WT__QLOG_FILE_MAX, NULL);
  assert_null(wt__qlog_sink_of(&files, NULL, NULL).function);
  assert_ptr_equal(wt__qlog_sink_of(&files, on_qlog, NULL).function, on_qlog);
}

static int group_setup(void **state) {
  (void)state;
  return mkdtemp(dir) ? 0 : -1;
}

static int group_teardown(void **state) {
  (void)state;
  return rmdir(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_qlog_files_has_a_private_file_for_each_connection),
      cmocka_unit_test(test_qlog_files_leaves_a_file_that_exists),
      cmocka_unit_test(test_qlog_files_tells_why_it_cannot_write),
      cmocka_unit_test(test_qlog_files_cuts_a_file_at_its_bound),
      cmocka_unit_test(test_qlog_files_bounds_how_many_are_open),
      cmocka_unit_test(test_qlog_files_asks_the_environment_last),
  };
  return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
