/* SPDX-License-Identifier: MIT */
/* The thread that writes log lines: files that are rotated or full, and readers that sleep. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/line_writer.h"
#include "common/tool_log.h"

static char folder[64], path[96], other[96], message[512];

static int setup(void **state) {
  (void)state;
  snprintf(folder, sizeof folder, "%s/line-writer-XXXXXX", P_tmpdir);
  if (!mkdtemp(folder)) return -1;
  snprintf(path, sizeof path, "%s/log", folder);
  snprintf(other, sizeof other, "%s/log.1", folder);
  log_set_level(WT_LOG_NONE);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  unlink(path);
  unlink(other);
  return rmdir(folder);
}

static struct line_writer *writer_open(const char *where) {
  struct line_writer *writer = line_writer_open("access log", where, NULL, message, sizeof message);
  if (!writer) fail_msg("%s", message);
  return writer;
}

static void add(struct line_writer *writer, const char *line) { line_writer_add(writer, line, strlen(line)); }

static char *content(const char *of) {
  static char text[4096];
  FILE *file = fopen(of, "re");
  assert_non_null(file);
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  return text;
}

/* Waits until the file has this text. */
static void await(const char *of, const char *text) {
  for (int i = 0; i < 5000 && (access(of, F_OK) || strcmp(content(of), text)); i++) poll(NULL, 0, 1);
  assert_string_equal(content(of), text);
}

static void test_lines_are_appended_in_order(void **state) {
  struct stat status;
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct line_writer *writer = writer_open(path);
    add(writer, "one");
    add(writer, "two");
    line_writer_close(writer); /* all that was added is in the file */
  }
  assert_string_equal(content(path), "one\ntwo\none\ntwo\n");
  assert_int_equal(stat(path, &status), 0);
  assert_int_equal(status.st_mode & 07, 0); /* not for everybody: it has addresses */
}

static void test_a_renamed_file_is_opened_again(void **state) {
  (void)state;
  struct line_writer *writer = writer_open(path);
  add(writer, "one");
  await(path, "one\n");
  assert_int_equal(rename(path, other), 0);
  add(writer, "two"); /* nobody has said so yet */
  await(other, "one\ntwo\n");
  line_writer_reopen(writer);
  await(path, "");
  add(writer, "three");
  await(path, "three\n");
  line_writer_close(writer);
  assert_string_equal(content(other), "one\ntwo\n");
}

/* As copytruncate of logrotate does it: no hole of zeros is left. */
static void test_a_truncated_file_goes_on_at_its_beginning(void **state) {
  (void)state;
  struct line_writer *writer = writer_open(path);
  add(writer, "one");
  await(path, "one\n");
  assert_int_equal(truncate(path, 0), 0);
  add(writer, "two");
  line_writer_close(writer);
  assert_string_equal(content(path), "two\n");
}

static void test_a_file_that_cannot_be_opened_again_stays(void **state) {
  (void)state;
  struct line_writer *writer = writer_open(path);
  add(writer, "one");
  await(path, "one\n");
  assert_int_equal(rename(path, other), 0);
  assert_int_equal(mkdir(path, 0700), 0);
  line_writer_reopen(writer);
  add(writer, "two");
  await(other, "one\ntwo\n");
  line_writer_close(writer);
  assert_int_equal(rmdir(path), 0);
}

static void test_what_cannot_be_opened_is_said(void **state) {
  (void)state;
  assert_null(line_writer_open("access log", folder, NULL, message, sizeof message));
  assert_non_null(strstr(message, folder));
  assert_non_null(strstr(message, strerror(EISDIR)));
  assert_int_equal(mkfifo(path, 0600), 0); /* without a reader, nobody may wait */
  assert_null(line_writer_open("access log", path, NULL, message, sizeof message));
  assert_non_null(strstr(message, strerror(ENXIO)));
}

static void test_a_full_disk_drops_lines_and_counts_them(void **state) {
  (void)state;
  struct line_writer *writer = writer_open("/dev/full");
  for (int i = 0; i < 10; i++) add(writer, "line");
  for (int i = 0; i < 5000 && line_writer_dropped(writer) < 10; i++) poll(NULL, 0, 1);
  assert_int_equal(line_writer_dropped(writer), 10);
  line_writer_close(writer);
  assert_int_equal(line_writer_dropped(NULL), 0);
}

/* Its reader does not read: nobody waits, memory is bounded, and what comes out in the end is whole lines. */
static void test_a_sleeping_reader_makes_nobody_wait(void **state) {
  enum {
    LINE = 1000,
    LINES = 4 * LINE_WRITER_QUEUE / LINE
  };
  char line[LINE + 32];
  (void)state;
  assert_int_equal(mkfifo(path, 0600), 0);
  int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  assert_true(reader >= 0);
  struct line_writer *writer = writer_open(path);
  for (int i = 0; i < LINES; i++) {
    snprintf(line, sizeof line, "%08d %0*d", i, LINE - 9, 0);
    line_writer_add(writer, line, LINE);
  }
  uint64_t dropped = line_writer_dropped(writer);
  assert_in_range(dropped, LINES / 4, LINES - 1);
  size_t left = 0, lines = 0;
  char *text = malloc(LINES * (LINE + 1) + 1);
  assert_non_null(text);
  while (lines < LINES - dropped) {
    struct pollfd wait = {.fd = reader, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 30000), 1);
    ssize_t got = read(reader, text + left, 65536);
    assert_true(got > 0);
    left += (size_t)got;
    lines = left / (LINE + 1);
  }
  for (size_t i = 0; i < lines; i++) assert_int_equal(text[i * (LINE + 1) + LINE], '\n');
  line_writer_close(writer);
  free(text);
  close(reader);
}

static void test_a_sleeping_reader_does_not_keep_the_end(void **state) {
  static char line[100000];
  (void)state;
  memset(line, 'x', sizeof line - 1);
  assert_int_equal(mkfifo(path, 0600), 0);
  int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct line_writer *writer = writer_open(path);
  add(writer, line);
  line_writer_close(writer); /* returns */
  close(reader);             /* now the thread can end, which nobody waits for */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_lines_are_appended_in_order, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_renamed_file_is_opened_again, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_truncated_file_goes_on_at_its_beginning, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_file_that_cannot_be_opened_again_stays, setup, teardown),
      cmocka_unit_test_setup_teardown(test_what_cannot_be_opened_is_said, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_full_disk_drops_lines_and_counts_them, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_sleeping_reader_makes_nobody_wait, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_sleeping_reader_does_not_keep_the_end, setup, teardown),
  };
  signal(SIGPIPE, SIG_IGN);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
