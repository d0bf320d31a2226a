/* SPDX-License-Identifier: MIT */
/*
 * The tool's log: lines of the library and of the tool itself, in one form, on standard error, so that
 * standard output stays free for what a program may want to read (--json).
 *
 *   2026-01-31T12:00:00.123Z warn  the certificate ...
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const level_names[] = {"none", "error", "warn", "info", "debug"};
static enum wt_log_level log_level = WT_LOG_INFO;

void log_set_level(enum wt_log_level level) { log_level = level; }

bool log_level_parse(const char *text, enum wt_log_level *level) {
  for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
    if (strcmp(text, level_names[i])) continue;
    *level = (enum wt_log_level)i;
    return true;
  }
  return false;
}

void log_library(enum wt_log_level level, const char *line, void *user_data) {
  (void)user_data;
  if (level > log_level) return;
  char stamp[32] = "";
  struct timespec now;
  struct tm utc;
  clock_gettime(CLOCK_REALTIME, &now);
  if (gmtime_r(&now.tv_sec, &utc)) strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  /* One call, so that lines of two threads do not mix. */
  fprintf(stderr, "%s.%03ldZ %-5s %s\n", stamp, now.tv_nsec / 1000000, level_names[level], line);
}

void log_line(enum wt_log_level level, const char *format, ...) {
  char line[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  log_library(level, line, NULL);
}
