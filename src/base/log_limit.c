/* SPDX-License-Identifier: MIT */
/*
 * A peer that opens sessions, sends bad requests or moves its path a thousand times a second must not decide how much
 * is written to the log: lines fill disks, and the one that matters drowns among them.
 *
 * So each kind of line has a token bucket. Nothing is lost silently: lines that are left out are counted, and the next
 * one ends in "(and 312 such lines left out)". A count that no further line follows is not told; statistics have it.
 *
 * WT__ERROR, WT__WARN and WT__INFO themselves are for what no peer can repeat. Lines at debug have no limit.
 */

#include "base/log_limit.h"

#include <stdarg.h>

void wt__log_limit_init(struct wt__log_limit *limit, uint64_t per_second, uint64_t burst) {
  wt__rate_init(&limit->rate, per_second, burst, 0);
  limit->left_out = 0;
}

bool wt__log_limit_take(struct wt__log_limit *limit, uint64_t now) {
  if (!limit || wt__rate_take(&limit->rate, now)) return true;
  limit->left_out++;
  return false;
}

void wt__log_write_limited(const struct wt__log *log, struct wt__log_limit *limit, enum wt_log_level level,
                           const struct wt__log_event *event, const char *format, ...) {
  uint64_t left_out = limit ? limit->left_out : 0;
  va_list args;
  if (limit) limit->left_out = 0;
  va_start(args, format);
  wt__log_vwrite(log, level, event, left_out, format, args);
  va_end(args);
}
