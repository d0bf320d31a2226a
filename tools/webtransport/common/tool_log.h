/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_LOG_H
#define WEBTRANSPORT_TOOL_LOG_H

#include <pthread.h>
#include <stdbool.h>

#include <webtransport/server.h>

/* Sets how much is logged. Must be called before any thread is made. */
void log_set_level(enum wt_log_level level);

/* Writes a line to standard error, with time and level; control characters become '?'. Any thread. */
void log_line(enum wt_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Flushes standard output, on which a server has said that it is ready. If nobody can read that, a line of the log says so,
 * and it is forgotten: the server serves all the same. */
void log_ready_said(void);

/* A limit for one kind of line that a peer can cause: how many at once, and how many a second. */
struct log_limit {
  pthread_mutex_t lock;
  unsigned burst, per_second;
  unsigned tokens, left_out;
  int64_t filled_s;
};

#define LOG_LIMIT(at_once, a_second) \
  { .lock = PTHREAD_MUTEX_INITIALIZER, .burst = (at_once), .per_second = (a_second), .tokens = (at_once) }

enum {
  LOG_LIMIT_BURST = 10,   /* lines about refusals at once, and then one a second */
  LOG_SESSION_LINES = 100 /* lines about ended sessions, at once and a second: no ordinary server has more */
};
#define LOG_LIMIT_INIT LOG_LIMIT(LOG_LIMIT_BURST, 1)
#define LOG_LIMIT_SESSIONS LOG_LIMIT(LOG_SESSION_LINES, LOG_SESSION_LINES)

/* As `log_line`, but leaves out lines beyond `limit`. The next line says how many were left out. Any thread. */
void log_limited(struct log_limit *limit, enum wt_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The library's lines, for `wt_server_config.log`. */
void log_library(enum wt_log_level level, const char *line, void *user_data);

/* The same as records, for `wt_server_config.log_record`: the form in JSON has their fields. */
void log_library_record(const struct wt_log_record *record, void *user_data);

/* Whether lines are JSON from now on. Must be called before any thread is made. */
void log_set_json(bool json);

/* Writes the time now, in UTC, as RFC 3339 has it: "2026-01-31T12:00:00.123Z". */
void log_time(char *text, size_t size);

/* Reads "none", "error", "warn", "info" or "debug". */
bool log_level_parse(const char *text, enum wt_log_level *level);

#endif
