/* SPDX-License-Identifier: MIT */
/*
 * A limit on bytes per second, as a bucket: it is full after a second without use, and each byte that is sent takes one
 * out. What is counted is what is missing, so a bucket that is all zero is full, and a configuration that is read again
 * may change the limit at any time.
 */
#include "common/rate.h"

static void rate_fill(struct rate *rate, uint64_t per_second, uint64_t now_ms) {
  uint64_t passed = now_ms > rate->filled_ms ? now_ms - rate->filled_ms : 0;
  if (passed >= 1000 || rate->missing == 0) {
    rate->missing = 0;
    rate->filled_ms = now_ms;
    return;
  }
  uint64_t filled = per_second / 1000 * passed + per_second % 1000 * passed / 1000;
  if (!filled) return; /* too little time for a byte: it counts later */
  rate->missing = filled < rate->missing ? rate->missing - filled : 0;
  rate->filled_ms = now_ms;
}

size_t rate_room(struct rate *rate, uint64_t per_second, uint64_t now_ms, size_t wanted) {
  if (!per_second) return wanted;
  rate_fill(rate, per_second, now_ms);
  uint64_t room = rate->missing < per_second ? per_second - rate->missing : 0;
  return room < wanted ? (size_t)room : wanted;
}

void rate_take(struct rate *rate, uint64_t per_second, size_t bytes) {
  if (per_second) rate->missing += bytes;
}
