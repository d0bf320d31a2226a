/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_CLOCK_H
#define WEBTRANSPORT_TOOL_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_HOUR (3600 * NS_PER_S)
#define NS_PER_DAY (24 * NS_PER_HOUR)

/* The time of the monotonic clock. */
uint64_t clock_ns(void);
int64_t clock_ms(void);

/* Converts nanoseconds, for calls of the system that wait. */
struct timespec clock_timespec(uint64_t ns);

/* Converts to milliseconds and rounds up: a short time must not become 0, which means "no limit" to many options. */
uint64_t clock_ms_up(uint64_t ns);

#endif
