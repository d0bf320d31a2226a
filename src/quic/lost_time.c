/* SPDX-License-Identifier: MIT */

/*
 * Time in which the machine ran somebody else.
 *
 * A connection has a budget of time in each turn (turn.c). On a machine with more threads than processors, the kernel takes the
 * processor away in the middle of a packet, and the clock shows ten milliseconds for what took ten microseconds. The peer
 * has no part in that, so it is not charged for it.
 *
 * The processor time of the thread tells both apart, but reading it is a system call. So it is read as the turn begins, and
 * again only when the clock has made a jump that no ordinary packet makes:
 *
 *     turn begins: processor time C0             a jump: processor time C1
 *          |------ ran: by the clock ------|--------- time ---------|
 *                         lost = ran + time - (C1 - C0), and at most `time`
 *
 * While turns follow each other fast, the reading of an earlier turn is used. What the thread did between turns is part of
 * C1 - C0 then, so a little less is forgiven than was lost.
 *
 * A callback that sleeps, reads a slow disk or waits for a lock does keep the others waiting, and uses no processor time
 * either. But the kernel counts how often a thread gives the processor up by itself. When that has happened, nothing is
 * forgiven. Nor is it where the kernel does not count.
 */

#include "quic/lost_time.h"

static bool lost_time_sample(struct wt__lost_time *lost, uint64_t now) {
  lost->known = lost->read(lost->ctx, &lost->last);
  lost->last_at = now;
  lost->ran = 0;
  return lost->known;
}

void wt__lost_time_begin(struct wt__lost_time *lost, uint64_t now) {
  if (!lost->read) return;
  if (lost->each) {
    lost->each--;
  } else if (lost->known && now - lost->last_at < WT__LOST_SAMPLE_EVERY) {
    return;
  }
  (void)lost_time_sample(lost, now);
}

uint64_t wt__lost_time_look(struct wt__lost_time *lost, uint64_t time, uint64_t now) {
  struct wt__thread_time before = lost->last;
  uint64_t ran = lost->ran + time;
  if (!lost_time_sample(lost, now) || lost->last.cpu < before.cpu) return 0;
  uint64_t used = lost->last.cpu - before.cpu, missing = ran > used ? ran - used : 0;
  if (missing) lost->each = WT__LOST_SAMPLE_EACH;
  if (before.waits == 0 || lost->last.waits != before.waits) return 0;
  return missing < time ? missing : time;
}
