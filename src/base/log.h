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
  wt_log_callback function; /* NULL: standard error, unless `record` is set */
  void *user_data;
  wt_log_record_callback record; /* NULL: none */
  void *record_user_data;
};

/* What a line is about, for programs: a stable name, and fields up to one without a name. A text field that is NULL counts as
 * absent. It lives as long as the call, on the caller's stack. */
struct wt__log_event {
  const char *name;
  const struct wt_log_field *fields; /* NULL: none */
};
#define WT__LOG_ABSENT ((enum wt_log_type)0) /* the type of a field that is left out */
#define WT__LOG_FIELDS_MAX 12                /* the rest is left out; enough for each line that there is */

#define WT__EVENT(event) (&(const struct wt__log_event){(event), NULL})
#define WT__EVENT_OF(event, ...) \
  (&(const struct wt__log_event){(event), (const struct wt_log_field[]){__VA_ARGS__, {.name = NULL}}})
#define WT__TEXT(name, value) \
  { (name), WT_LOG_TEXT, (value), 0 }
#define WT__INTEGER(name, value) \
  { (name), WT_LOG_INTEGER, NULL, (int64_t)(value) }
#define WT__INTEGER_IF(has, name, value) \
  { (name), (has) ? WT_LOG_INTEGER : WT__LOG_ABSENT, NULL, (int64_t)(value) }
#define WT__BOOLEAN(name, value) \
  { (name), WT_LOG_BOOLEAN, NULL, (value) ? 1 : 0 }

void wt__log_write(const struct wt__log *log, enum wt_log_level level, const struct wt__log_event *event,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Says at the end how many lines were `left_out` before this one, unless 0. For log_limit.c. */
void wt__log_vwrite(const struct wt__log *log, enum wt_log_level level, const struct wt__log_event *event,
                    uint64_t left_out, const char *format, va_list args) __attribute__((format(printf, 5, 0)));

/* `event` is WT__EVENT(...) or WT__EVENT_OF(...), then follows the text as of printf. Lines that a peer can repeat go through
 * log_limit.h. `log` may be NULL. It is copied first, so that the address of a variable draws no warning. */
#define WT__LOG(log, lvl, event, ...)                                                                     \
  do {                                                                                                    \
    const struct wt__log *wt__log_to = (log);                                                             \
    if (wt__log_to && wt__log_to->level >= (lvl)) wt__log_write(wt__log_to, (lvl), (event), __VA_ARGS__); \
  } while (0)
#define WT__ERROR(log, ...) WT__LOG(log, WT_LOG_ERROR, __VA_ARGS__)
#define WT__WARN(log, ...) WT__LOG(log, WT_LOG_WARN, __VA_ARGS__)
#define WT__INFO(log, ...) WT__LOG(log, WT_LOG_INFO, __VA_ARGS__)
#define WT__DEBUG(log, ...) WT__LOG(log, WT_LOG_DEBUG, __VA_ARGS__)

#endif
