/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_LOG_H
#define WEBTRANSPORT_TOOL_LOG_H

#include <webtransport/server.h>

/* Sets how much is logged; before any thread is made. */
void log_set_level(enum wt_log_level level);

/* Writes a line to standard error, with time and level. Any thread. */
void log_line(enum wt_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The library's lines, for `wt_server_config.log`. */
void log_library(enum wt_log_level level, const char *line, void *user_data);

/* Reads "none", "error", "warn", "info" or "debug". */
bool log_level_parse(const char *text, enum wt_log_level *level);

#endif
