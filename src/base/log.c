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
 */

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOG_LINE_MAX 1024

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

void wt__log_write(const struct wt__log *log, enum wt_log_level level, const char *format, ...) {
  char line[LOG_LINE_MAX];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line, sizeof(line), format, args);
  va_end(args);
  if (len < 0) return;
  if ((size_t)len >= sizeof(line)) memcpy(line + sizeof(line) - 4, "...", 4);
  log_clean(line);
  if (log->function) {
    log->function(level, line, log->user_data);
  } else {
    fprintf(stderr, "webtransport: %s: %s\n", log_level_name(level), line);
  }
}
