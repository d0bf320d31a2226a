/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_LOG_H
#define WT_BASE_LOG_H

/*
 * Log lines. The macros test the level before anything is formatted, so a line that nobody wants
 * costs a comparison.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/log.h>

struct wt__log {
  enum wt_log_level level;
  wt_log_callback function; /* NULL: standard error */
  void *user_data;
};

void wt__log_write(const struct wt__log *log, enum wt_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says at the end how many lines were `left_out` before this one, unless 0. For log_limit.c. */
void wt__log_vwrite(const struct wt__log *log, enum wt_log_level level, uint64_t left_out, const char *format,
                    va_list args) __attribute__((format(printf, 4, 0)));

/* Lines that a peer can repeat go through log_limit.h. `log` may be NULL. It is copied first, so that the address of a variable draws no warning. */
#define WT__LOG(log, lvl, ...)                                                                   \
  do {                                                                                           \
    const struct wt__log *wt__log_to = (log);                                                    \
    if (wt__log_to && wt__log_to->level >= (lvl)) wt__log_write(wt__log_to, (lvl), __VA_ARGS__); \
  } while (0)
#define WT__ERROR(log, ...) WT__LOG(log, WT_LOG_ERROR, __VA_ARGS__)
#define WT__WARN(log, ...) WT__LOG(log, WT_LOG_WARN, __VA_ARGS__)
#define WT__INFO(log, ...) WT__LOG(log, WT_LOG_INFO, __VA_ARGS__)
#define WT__DEBUG(log, ...) WT__LOG(log, WT_LOG_DEBUG, __VA_ARGS__)

#endif
