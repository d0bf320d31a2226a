/* SPDX-License-Identifier: MIT */
/*
 * A token bucket. It holds `burst` tokens when it is full; each event takes one, and time puts `per_second` of them
 * back a second. An empty bucket says no.
 *
 * Tokens are counted in billionths, which is what a nanosecond brings at one a second. So nothing is rounded, however
 * often it is asked, and no timer is needed: what has come since the last time is added when it is asked again.
 *
 * A clock that goes back brings nothing, and takes nothing away.
 */

#include "base/clock.h"
#include "base/rate.h"

#define TOKEN WT__NS_PER_S /* one token at one a second */

static uint64_t rate_bounded(uint64_t value) { return value < WT__RATE_MAX ? value : WT__RATE_MAX; }

void wt__rate_init(struct wt__rate *rate, uint64_t per_second, uint64_t burst, uint64_t now) {
  rate->per_second = rate_bounded(per_second);
  rate->burst = rate_bounded(burst);
  rate->credit = rate->burst * TOKEN;
  rate->at = now;
}

static void rate_refill(struct wt__rate *rate, uint64_t now) {
  uint64_t full = rate->burst * TOKEN, missing = full - rate->credit, passed = now > rate->at ? now - rate->at : 0;
  if (rate->per_second > 0 && passed > missing / rate->per_second) {
    rate->credit = full;
  } else {
    rate->credit += passed * rate->per_second; /* at most `missing` */
  }
  rate->at += passed;
}

bool wt__rate_has(struct wt__rate *rate, uint64_t now) {
  rate_refill(rate, now);
  return rate->credit >= TOKEN;
}

bool wt__rate_take(struct wt__rate *rate, uint64_t now) {
  if (!wt__rate_has(rate, now)) return false;
  rate->credit -= TOKEN;
  return true;
}
