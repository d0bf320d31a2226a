/* SPDX-License-Identifier: MIT */

/*
 * One log line: formatted on the stack, cleaned, handed on.
 *
 * Lines carry what peers send: paths, origins, close reasons. A line break in one of them could forge a
 * second line and an escape sequence could drive a terminal, so every control character is replaced.
 * Bytes from 0x80 on stay, since UTF-8 is made of them; C1 controls in UTF-8 form (0xc2 0x80 to 0x9f)
 * are replaced too, for terminals obey some of those.
 *
 * It does not allocate: a line about memory running out must come through. What is longer than a line
 * is cut and ends in "...". There are no time stamps here: who owns the output adds them, and the
 * library takes time as an argument everywhere else.
 *
 * A program may want the line as a record instead: then the texts of its fields are cleaned and cut in the same way, into a
 * buffer on the stack, so that no byte of a peer reaches the program that the text of the line would not show.
 */

#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define LOG_LINE_MAX 1024
#define LOG_MORE_MAX 64  /* the count of lines left out */
#define LOG_TEXT_MAX 256 /* of a field */

static const char *log_level_name(enum wt_log_level level) {
  switch (level) {
    case WT_LOG_ERROR: return "error";
    case WT_LOG_WARN: return "warning";
    case WT_LOG_INFO: return "info";
    case WT_LOG_DEBUG: return "debug";
    case WT_LOG_NONE: break;
  }
  return "log";
}

static void log_clean(char *line) {
  for (unsigned char *c = (unsigned char *)line; *c; c++) {
    if (*c < 0x20 || *c == 0x7f) *c = '?';
    if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f) c[0] = c[1] = '?';
  }
}

/* Formats the line into `line`. What is longer is cut. */
static void log_format(char *line, size_t size, const char *format, va_list args) {
  int len = vsnprintf(line, size, format, args);
  if (len < 0) line[0] = '\0';
  if (len >= 0 && (size_t)len >= size) memcpy(line + size - 4, "...", 4);
}

/* Copies `text` into `out`, cut before a character of UTF-8 that does not fit, and cleaned. */
static void field_text(char out[LOG_TEXT_MAX], const char *text) {
  static const char dots[] = "...";
  size_t len = strnlen(text, LOG_TEXT_MAX), kept = len < LOG_TEXT_MAX ? len : LOG_TEXT_MAX - sizeof(dots);
  while (kept < len && kept > 0 && ((unsigned char)text[kept] & 0xc0) == 0x80) kept--;
  memcpy(out, text, kept);
  out[kept] = '\0';
  if (kept < len) memcpy(out + kept, dots, sizeof(dots));
  log_clean(out);
}

static void record_write(const struct wt__log *log, enum wt_log_level level, const struct wt__log_event *event,
                         uint64_t left_out, const char *line) {
  char texts[WT__LOG_FIELDS_MAX][LOG_TEXT_MAX];
  struct wt_log_field fields[WT__LOG_FIELDS_MAX];
  size_t count = 0;
  for (const struct wt_log_field *at = event->fields; at && at->name && count < WT__LOG_FIELDS_MAX; at++) {
    if (at->type == WT__LOG_ABSENT || (at->type == WT_LOG_TEXT && !at->text)) continue;
    fields[count] = *at;
    if (at->type == WT_LOG_TEXT) {
      field_text(texts[count], at->text);
      fields[count].text = texts[count];
    }
    count++;
  }
  const struct wt_log_record record = {.size = sizeof(record),
                                       .level = level,
                                       .event = event->name,
                                       .message = line,
                                       .left_out = left_out,
                                       .fields = fields,
                                       .field_count = count};
  log->record(&record, log->record_user_data);
}

void wt__log_vwrite(const struct wt__log *log, enum wt_log_level level, const struct wt__log_event *event,
                    uint64_t left_out, const char *format, va_list args) {
  char line[LOG_LINE_MAX], more[LOG_MORE_MAX] = "";
  if (left_out > 0) (void)snprintf(more, sizeof(more), " (and %llu such lines left out)", (unsigned long long)left_out);
  log_format(line, sizeof(line) - strlen(more), format, args);
  strcat(line, more);
  log_clean(line);
  if (log->record) record_write(log, level, event, left_out, line);
  if (log->function) {
    log->function(level, line, log->user_data);
  } else if (!log->record) {
    fprintf(stderr, "webtransport: %s: %s\n", log_level_name(level), line);
  }
}

void wt__log_write(const struct wt__log *log, enum wt_log_level level, const struct wt__log_event *event,
                   const char *format, ...) {
  va_list args;
  va_start(args, format);
  wt__log_vwrite(log, level, event, 0, format, args);
  va_end(args);
}
