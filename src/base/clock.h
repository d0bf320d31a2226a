/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_CLOCK_H
#define WT_BASE_CLOCK_H

/*
 * Units of time. Inside the library every time and every duration is in nanoseconds of one monotonic clock. What a user
 * configures is in milliseconds.
 */

#include <stdint.h>

#define WT__NS_PER_US UINT64_C(1000)
#define WT__NS_PER_MS UINT64_C(1000000)
#define WT__NS_PER_S UINT64_C(1000000000)

#endif
