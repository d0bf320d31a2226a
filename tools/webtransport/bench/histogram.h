/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_HISTOGRAM_H
#define WEBTRANSPORT_TOOL_HISTOGRAM_H

#include <stdint.h>

enum {
  HISTOGRAM_BITS = 8, /* a power of two is divided into 2^8 buckets: an error of at most 1/256 */
  HISTOGRAM_TOP = 42, /* values of up to this many bits: 73 minutes in nanoseconds */
  HISTOGRAM_BUCKETS = (HISTOGRAM_TOP - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS,
};

/* Counts values from 0 to 2^42-1; a larger value counts as 2^42-1. All zero: empty. */
struct histogram {
  uint64_t count, min, max, sum;
  uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* Adds what `other` holds, as if each of its values had been added here. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);

/* Makes each value `by` larger. */
void histogram_shift(struct histogram *histogram, uint64_t by);

/*
 * Returns the value that `percent` (0 to 100) of all values do not exceed. It is the upper end of a bucket, so at most
 * 0.4 % above the true value, and never above the largest value. 0 if the histogram is empty.
 */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

/* Returns 0 if the histogram is empty. */
double histogram_mean(const struct histogram *histogram);

#endif
