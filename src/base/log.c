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

#include <stdio.h>
#include <string.h>

#define LOG_LINE_MAX 1024
#define LOG_MORE_MAX 64 /* the count of lines left out */

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

void wt__log_vwrite(const struct wt__log *log, enum wt_log_level level, uint64_t left_out, const char *format,
                    va_list args) {
  char line[LOG_LINE_MAX], more[LOG_MORE_MAX] = "";
  if (left_out > 0) (void)snprintf(more, sizeof(more), " (and %llu such lines left out)", (unsigned long long)left_out);
  log_format(line, sizeof(line) - strlen(more), format, args);
  strcat(line, more);
  log_clean(line);
  if (log->function) {
    log->function(level, line, log->user_data);
  } else {
    fprintf(stderr, "webtransport: %s: %s\n", log_level_name(level), line);
  }
}

void wt__log_write(const struct wt__log *log, enum wt_log_level level, const char *format, ...) {
  va_list args;
  va_start(args, format);
  wt__log_vwrite(log, level, 0, format, args);
  va_end(args);
}
