/* SPDX-License-Identifier: MIT */

/*
 * A token says when it was made. Machines of a fleet agree on that by the time of day, which is not quite the same on two
 * machines, and which somebody may set. Between a Retry and the Initial that answers it lies a round trip. If the clock is
 * set in that moment, the token would look too old, or be of the future, and the handshake would fail:
 *
 *   monotonic   ---- Retry ----------+---- Initial ---->
 *   time of day 12:00:00    12:00:00 | 13:00:00
 *
 * The difference between the two clocks tells: it changes by more than any adjustment would. The difference of before is
 * remembered for as long as a Retry's token lives, and the token is tried by the clock of before, too.
 */

#include "quic/token_clock.h"

#include "base/clock.h"
#include "quic/token.h"

#define STEP WT__NS_PER_S /* less than that is an adjustment */

static bool is_step(uint64_t from, uint64_t to) { return to - from > STEP && from - to > STEP; }

uint64_t wt__token_clock_read(struct wt__token_clock *clock, uint64_t wall, uint64_t now) {
  uint64_t offset = wall - now;
  if (clock->began && is_step(clock->offset, offset)) {
    clock->before = clock->offset;
    clock->until = now + WT__TOKEN_RETRY_LIFETIME + WT__TOKEN_CLOCK_TOLERANCE;
  }
  clock->offset = offset;
  clock->began = true;
  return wall;
}

bool wt__token_clock_before(const struct wt__token_clock *clock, uint64_t now, uint64_t *wall) {
  if (now >= clock->until) return false;
  *wall = now + clock->before;
  return true;
}
