/* SPDX-License-Identifier: MIT */
/*
 * The clock of the tool and the units of time. Every file that waits or measures takes them from here. The clock is the
 * monotonic one, so that a change of the date moves no deadline.
 */
#include "common/clock.h"

uint64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

int64_t clock_ms(void) { return (int64_t)(clock_ns() / NS_PER_MS); }

struct timespec clock_timespec(uint64_t ns) {
  return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

uint64_t clock_ms_up(uint64_t ns) { return (ns + NS_PER_MS - 1) / NS_PER_MS; }
