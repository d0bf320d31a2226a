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
  struct wt__log log = {.level = WT_LOG_DEBUG, .function = capture_line, .user_data = &capture};
  WT__INFO(&log, WT__EVENT("line"), "session %d: %s", 4, "open");
  assert_int_equal(capture.lines, 1);
  assert_int_equal(capture.level, WT_LOG_INFO);
  assert_string_equal(capture.line, "session 4: open");
  WT__ERROR(&log, WT__EVENT("line"), "plain");
  assert_int_equal(capture.level, WT_LOG_ERROR);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_log_level_is_tested_before_formatting(void **state) {
  (void)state;
  struct capture capture = {0};
  struct wt__log log = {.level = WT_LOG_WARN, .function = capture_line, .user_data = &capture};
  struct wt__log *none = NULL;
  formatted = 0;
  WT__DEBUG(&log, WT__EVENT("line"), "%d", count_formatting());
  WT__INFO(&log, WT__EVENT("line"), "%d", count_formatting());
  WT__ERROR(none, WT__EVENT("line"), "%d", count_formatting());
  assert_int_equal(formatted, 0);
  assert_int_equal(capture.lines, 0);
  WT__WARN(&log, WT__EVENT("line"), "%d", count_formatting());
  assert_int_equal(capture.lines, 1);
  log.level = WT_LOG_NONE;
  WT__ERROR(&log, WT__EVENT("line"), "%d", count_formatting());
  assert_int_equal(capture.lines, 1);
  assert_int_equal(formatted, 1);
}

static void test_log_replaces_control_characters(void **state) {
  (void)state;
  struct capture capture = {0};
  struct wt__log log = {.level = WT_LOG_DEBUG, .function = capture_line, .user_data = &capture};
  WT__DEBUG(&log, WT__EVENT("line"), "a\nb\r\x1b[31m\x7f\tc \xc3\xa9 \xc2\x9b \xc2\xa9 \xc2");
  assert_string_equal(capture.line, "a?b??[31m??c \xc3\xa9 ?? \xc2\xa9 \xc2");
}

static void test_log_cuts_long_lines(void **state) {
  (void)state;
  struct capture capture = {0};
  struct wt__log log = {.level = WT_LOG_DEBUG, .function = capture_line, .user_data = &capture};
  char text[1025];
  memset(text, 'x', sizeof(text));
  text[1023] = '\0';
  WT__DEBUG(&log, WT__EVENT("line"), "%s", text);
  assert_string_equal(capture.line, text); /* the longest that fits */
  text[1023] = 'x';
  text[1024] = '\0';
  WT__DEBUG(&log, WT__EVENT("line"), "%s", text);
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
  wt__log_write(log, level, WT__EVENT("line"), "port %d", 4433);
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
  const struct wt__log log = {.level = WT_LOG_DEBUG, .function = NULL, .user_data = NULL};
  static const char *const names[] = {"log", "error", "warning", "info", "debug"};
  for (int level = WT_LOG_NONE; level <= WT_LOG_DEBUG; level++) {
    char text[200], expected[200];
    read_stderr(&log, (enum wt_log_level)level, text, sizeof(text));
    snprintf(expected, sizeof(expected), "webtransport: %s: port 4433\n", names[level]);
    assert_string_equal(text, expected);
  }
  assert_int_equal(wt__mem_live(), 0);
}

/* --- Records --- */

struct kept {
  int records;
  struct wt_log_record record;
  struct wt_log_field fields[16];
  char message[2048], texts[16][512];
};

static void keep_record(const struct wt_log_record *record, void *user_data) {
  struct kept *kept = user_data;
  kept->records++;
  kept->record = *record;
  assert_int_equal(record->size, sizeof(*record));
  assert_true(record->field_count <= 16);
  snprintf(kept->message, sizeof(kept->message), "%s", record->message);
  for (size_t i = 0; i < record->field_count; i++) {
    kept->fields[i] = record->fields[i];
    assert_int_equal(record->fields[i].text != NULL, record->fields[i].type == WT_LOG_TEXT);
    if (record->fields[i].text) snprintf(kept->texts[i], sizeof(kept->texts[i]), "%s", record->fields[i].text);
  }
}

static void test_log_record_has_the_event_and_its_fields(void **state) {
  (void)state;
  struct kept kept = {0};
  struct capture capture = {0};
  const struct wt__log log = {.level = WT_LOG_INFO,
                              .function = capture_line,
                              .user_data = &capture,
                              .record = keep_record,
                              .record_user_data = &kept};
  const char *none = NULL;
  bool coded = false;
  WT__INFO(&log,
           WT__EVENT_OF("session_opened", WT__TEXT("path", "/a"), WT__TEXT("origin", none), WT__INTEGER("session", 4),
                        WT__INTEGER_IF(coded, "code", 1), WT__BOOLEAN("resumed", coded), WT__INTEGER("big", INT64_MAX)),
           "session %d", 4);
  assert_int_equal(kept.records, 1);
  assert_string_equal(kept.record.event, "session_opened");
  assert_int_equal(kept.record.level, WT_LOG_INFO);
  assert_string_equal(kept.message, "session 4");
  assert_string_equal(capture.line, "session 4"); /* the text is as without the record */
  assert_int_equal(kept.record.field_count, 4);
  assert_string_equal(kept.fields[0].name, "path");
  assert_string_equal(kept.texts[0], "/a");
  assert_int_equal(kept.fields[1].type, WT_LOG_INTEGER);
  assert_int_equal(kept.fields[1].integer, 4);
  assert_int_equal(kept.fields[2].type, WT_LOG_BOOLEAN);
  assert_int_equal(kept.fields[2].integer, 0);
  assert_int_equal(kept.fields[3].integer, INT64_MAX);
  WT__DEBUG(&log, WT__EVENT("request"), "not wanted");
  assert_int_equal(kept.records, 1);
  WT__WARN(&log, WT__EVENT("ended"), "ended");
  assert_int_equal(kept.record.field_count, 0);
  assert_int_equal(wt__mem_live(), 0); /* nothing is allocated for a line */
}

static void test_log_record_alone_keeps_standard_error_quiet(void **state) {
  (void)state;
  struct kept kept = {0};
  char text[200];
  const struct wt__log log = {.level = WT_LOG_DEBUG, .record = keep_record, .record_user_data = &kept};
  read_stderr(&log, WT_LOG_INFO, text, sizeof(text));
  assert_string_equal(text, "");
  assert_int_equal(kept.records, 1);
}

/* What a peer has sent, in each kind of byte that could forge a line or drive a terminal. */
static void test_log_record_cleans_and_cuts_texts(void **state) {
  (void)state;
  struct kept kept = {0};
  const struct wt__log log = {.level = WT_LOG_DEBUG, .record = keep_record, .record_user_data = &kept};
  char all[256], exact[256], over[257], letters[300] = "";
  for (int i = 0; i < 255; i++) all[i] = (char)(i + 1);
  all[255] = '\0';
  memset(exact, 'x', 255);
  exact[255] = '\0';
  memset(over, 'x', 256);
  over[256] = '\0';
  for (int i = 0; i < 140; i++) strcat(letters, "\xc3\xa9"); /* 280 bytes; the cut is in the middle of one */
  WT__DEBUG(&log,
            WT__EVENT_OF("request", WT__TEXT("all", all), WT__TEXT("exact", exact), WT__TEXT("over", over),
                         WT__TEXT("letters", letters)),
            "%s", all);
  assert_int_equal(strlen(kept.texts[0]), 255);
  for (int i = 0; i < 255; i++) {
    unsigned char c = (unsigned char)kept.texts[0][i];
    assert_true(c >= 0x20 && c != 0x7f);
  }
  assert_string_equal(kept.texts[1], exact);
  assert_int_equal(strlen(kept.texts[2]), 255);
  assert_string_equal(kept.texts[2] + 252, "...");
  assert_int_equal(strlen(kept.texts[3]), 255);
  assert_memory_equal(kept.texts[3] + 250, "\xc3\xa9...", 6);
}

static void test_log_record_leaves_out_fields_beyond_its_room(void **state) {
  (void)state;
  struct kept kept = {0};
  const struct wt__log log = {.level = WT_LOG_DEBUG, .record = keep_record, .record_user_data = &kept};
  struct wt_log_field fields[WT__LOG_FIELDS_MAX + 3] = {{.name = NULL}};
  for (int i = 0; i < WT__LOG_FIELDS_MAX + 2; i++) fields[i] = (struct wt_log_field)WT__INTEGER("n", i);
  const struct wt__log_event event = {"many", fields};
  WT__DEBUG(&log, &event, "many");
  assert_int_equal(kept.record.field_count, WT__LOG_FIELDS_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_log_formats_for_the_function),
      cmocka_unit_test(test_log_level_is_tested_before_formatting),
      cmocka_unit_test(test_log_replaces_control_characters),
      cmocka_unit_test(test_log_cuts_long_lines),
      cmocka_unit_test(test_log_goes_to_stderr_without_a_function),
      cmocka_unit_test(test_log_record_has_the_event_and_its_fields),
      cmocka_unit_test(test_log_record_alone_keeps_standard_error_quiet),
      cmocka_unit_test(test_log_record_cleans_and_cuts_texts),
      cmocka_unit_test(test_log_record_leaves_out_fields_beyond_its_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
