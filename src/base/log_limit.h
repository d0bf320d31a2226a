/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_LOG_LIMIT_H
#define WT_BASE_LOG_LIMIT_H

/*
 * Log lines that a peer can cause as often as it likes. Lines of a kind share a limit; lines beyond it are counted, and
 * the next line that is written says how many were left out.
 */

#include "base/log.h"
#include "base/rate.h"

struct wt__log_limit {
  struct wt__rate rate;
  uint64_t left_out; /* lines since the last one that was written */
};

void wt__log_limit_init(struct wt__log_limit *limit, uint64_t per_second, uint64_t burst);
/* Whether a line may be written now. If not, it is counted. `limit` may be NULL: there is none. */
bool wt__log_limit_take(struct wt__log_limit *limit, uint64_t now);
/* Writes it, with the number of those that were left out before. */
void wt__log_write_limited(const struct wt__log *log, struct wt__log_limit *limit, enum wt_log_level level,
                           const struct wt__log_event *event, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* As `WT__LOG`, within `limit` (struct wt__log_limit, may be NULL) at the time `now`. Lines that `log` does not want
 * because of their level take nothing from the limit. The arguments are evaluated only for a line that is written. */
#define WT__LOG_LIMITED(log, limit, now, lvl, event, ...)                                      \
  do {                                                                                         \
    const struct wt__log *wt__log_to = (log);                                                  \
    struct wt__log_limit *wt__log_within = (limit);                                            \
    if (wt__log_to && wt__log_to->level >= (lvl) && wt__log_limit_take(wt__log_within, (now))) \
      wt__log_write_limited(wt__log_to, wt__log_within, (lvl), (event), __VA_ARGS__);          \
  } while (0)
#define WT__WARN_LIMITED(log, limit, now, ...) WT__LOG_LIMITED(log, limit, now, WT_LOG_WARN, __VA_ARGS__)
#define WT__INFO_LIMITED(log, limit, now, ...) WT__LOG_LIMITED(log, limit, now, WT_LOG_INFO, __VA_ARGS__)

#endif
