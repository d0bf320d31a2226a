/* SPDX-License-Identifier: MIT */
/*
 * The tool's log: lines of the library and of the tool, in one form, on standard error. Standard output is for what a
 * program may want to read (--json).
 *
 *   2026-01-31T12:00:00.123Z warn  the certificate ...
 */
#include "common/tool_log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"

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
  /* One call, so that lines of different threads do not mix. */
  fprintf(stderr, "%s.%03ldZ %-5s %s\n", stamp, now.tv_nsec / (long)NS_PER_MS, level_names[level], line);
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
