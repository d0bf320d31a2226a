/* SPDX-License-Identifier: MIT */
/*
 * The tool's log: lines of the library and of the tool, in one form, on standard error. Standard output is for what a
 * program may want to read (--json).
 *
 *   2026-01-31T12:00:00.123Z warn  the certificate ...
 *
 * or, with --log-format json, as objects with the events and fields of the library (webtransport/log.h):
 *
 *   {"time":"2026-01-31T12:00:00.123Z","level":"warn","event":"tool","message":"the certificate ..."}
 */
#include "common/tool_log.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/json_text.h"

static const char *const level_names[] = {"none", "error", "warn", "info", "debug"};
static enum wt_log_level log_level = WT_LOG_INFO;
static bool log_json;

enum {
  LOG_LINE_MAX = 1024,
  LOG_TEXT_MAX = 256 /* of a field, as the library cuts it */
};

void log_set_level(enum wt_log_level level) { log_level = level; }

bool log_level_parse(const char *text, enum wt_log_level *level) {
  for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
    if (strcmp(text, level_names[i])) continue;
    *level = (enum wt_log_level)i;
    return true;
  }
  return false;
}

void log_set_json(bool json) { log_json = json; }

void log_time(char *text, size_t size) {
  char stamp[32] = "";
  struct timespec now;
  struct tm utc;
  clock_gettime(CLOCK_REALTIME, &now);
  if (gmtime_r(&now.tv_sec, &utc)) strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  snprintf(text, size, "%s.%03ldZ", stamp, now.tv_nsec / (long)NS_PER_MS);
}

static json_t *field_json(const struct wt_log_field *field) {
  switch (field->type) {
    case WT_LOG_TEXT: return json_log_text(field->text, LOG_TEXT_MAX);
    case WT_LOG_INTEGER: return json_integer((json_int_t)field->integer);
    case WT_LOG_BOOLEAN: return json_boolean(field->integer);
  }
  return json_null();
}

static void line_json(const struct wt_log_record *record) {
  char stamp[40];
  json_t *line = json_object();
  log_time(stamp, sizeof stamp);
  json_object_set_new(line, "time", json_string(stamp));
  json_object_set_new(line, "level", json_string(level_names[record->level]));
  json_object_set_new(line, "event", json_string(record->event));
  json_object_set_new(line, "message", json_log_text(record->message, LOG_LINE_MAX));
  if (record->left_out) json_object_set_new(line, "left_out", json_integer((json_int_t)record->left_out));
  for (size_t i = 0; i < record->field_count; i++)
    json_object_set_new(line, record->fields[i].name, field_json(&record->fields[i]));
  char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);
  json_decref(line);
  if (text) fprintf(stderr, "%s\n", text);
  free(text);
}

static void line_write(const struct wt_log_record *record) {
  char stamp[40];
  if (record->level > log_level) return;
  if (log_json) {
    line_json(record);
    return;
  }
  log_time(stamp, sizeof stamp);
  /* One call, so that lines of different threads do not mix. */
  fprintf(stderr, "%s %-5s %s\n", stamp, level_names[record->level], record->message);
}

void log_library(enum wt_log_level level, const char *line, void *user_data) {
  const struct wt_log_record record = {.level = level, .event = "tool", .message = line};
  (void)user_data;
  line_write(&record);
}

void log_library_record(const struct wt_log_record *record, void *user_data) {
  (void)user_data;
  line_write(record);
}

/* Lines have texts of peers. A line break could forge a second line, and a terminal could obey an escape sequence. */
static void line_clean(char *line) {
  for (unsigned char *c = (unsigned char *)line; *c; c++) {
    if (*c < 0x20 || *c == 0x7f) *c = '?';
    if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f) c[0] = c[1] = '?'; /* C1 controls in UTF-8 */
  }
}

void log_line(enum wt_log_level level, const char *format, ...) {
  char line[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  line_clean(line);
  log_library(level, line, NULL);
}

/* Takes one line from the limit. False: none is left. */
static bool limit_take(struct log_limit *limit, unsigned *left_out) {
  int64_t now_s = (int64_t)(clock_ns() / NS_PER_S);
  pthread_mutex_lock(&limit->lock);
  int64_t passed = limit->filled_s ? now_s - limit->filled_s : 0;
  unsigned missing = limit->burst - limit->tokens;
  limit->filled_s = now_s;
  limit->tokens += passed < missing ? (unsigned)passed * limit->per_second : missing;
  if (limit->tokens > limit->burst) limit->tokens = limit->burst;
  bool taken = limit->tokens > 0;
  if (taken) limit->tokens--;
  *left_out = taken ? limit->left_out : 0;
  limit->left_out = taken ? 0 : limit->left_out + 1;
  pthread_mutex_unlock(&limit->lock);
  return taken;
}

void log_limited(struct log_limit *limit, enum wt_log_level level, const char *format, ...) {
  char line[1024];
  unsigned left_out;
  va_list args;
  if (level > log_level || !limit_take(limit, &left_out)) return;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (left_out)
    log_line(level, "%s (and %u such lines left out)", line, left_out);
  else
    log_line(level, "%s", line);
}

void log_ready_said(void) {
  if (!fflush(stdout) && !ferror(stdout)) return;
  log_line(WT_LOG_WARN, "cannot write to standard output: %s; the server serves all the same", strerror(errno));
  clearerr(stdout);
}
