/* SPDX-License-Identifier: MIT */
/*
 * Counts latencies of many orders of magnitude in bounded memory, with the same relative error everywhere. This is the
 * scheme of HdrHistogram: a value's highest bit chooses a group of buckets, the next 8 bits choose the bucket in it.
 *
 *     value  0 .. 255          256 .. 511        512 .. 1023       1024 .. 2047
 *     group  0                 1                 2                 3            ...
 *     width  1                 1                 2                 4
 *
 * Adding a value takes a few instructions. The histograms of several threads are merged by adding their counts;
 * percentiles could not be merged.
 *
 * We do not use that library, because its C version is in neither Debian 12 nor 13, and we need no more of it than
 * this.
 */
#include "bench/histogram.h"

#define LARGEST ((UINT64_C(1) << HISTOGRAM_TOP) - 1)

static unsigned bucket_of(uint64_t value) {
  unsigned top = 63u - (unsigned)__builtin_clzll(value | 1);
  if (top < HISTOGRAM_BITS) return (unsigned)value;
  unsigned group = top - HISTOGRAM_BITS + 1;
  /* The highest bit is taken off: it is what the group says. */
  return (group << HISTOGRAM_BITS) + (unsigned)((value >> (group - 1)) - (UINT64_C(1) << HISTOGRAM_BITS));
}

/* The largest value of a bucket. */
static uint64_t bucket_end(unsigned bucket) {
  unsigned group = bucket >> HISTOGRAM_BITS;
  uint64_t place = bucket & ((1u << HISTOGRAM_BITS) - 1);
  if (group == 0) return place;
  return ((place + (UINT64_C(1) << HISTOGRAM_BITS) + 1) << (group - 1)) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value) {
  if (value > LARGEST) value = LARGEST;
  if (histogram->count == 0 || value < histogram->min) histogram->min = value;
  if (value > histogram->max) histogram->max = value;
  histogram->count++;
  histogram->sum += value;
  histogram->buckets[bucket_of(value)]++;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other) {
  if (other->count == 0) return;
  if (histogram->count == 0 || other->min < histogram->min) histogram->min = other->min;
  if (other->max > histogram->max) histogram->max = other->max;
  histogram->count += other->count;
  histogram->sum += other->sum;
  for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) histogram->buckets[i] += other->buckets[i];
}

void histogram_shift(struct histogram *histogram, uint64_t by) {
  if (by == 0 || histogram->count == 0) return;
  if (by > LARGEST) by = LARGEST;
  /* From the top: a bucket moves to one above it, which was emptied before, or stays. */
  for (unsigned i = HISTOGRAM_BUCKETS; i-- > 0;) {
    uint64_t count = histogram->buckets[i], end = bucket_end(i) + by;
    histogram->buckets[i] = 0;
    if (count) histogram->buckets[bucket_of(end < LARGEST ? end : LARGEST)] += count;
  }
  histogram->sum += histogram->count * by;
  histogram->min = histogram->min + by < LARGEST ? histogram->min + by : LARGEST;
  histogram->max = histogram->max + by < LARGEST ? histogram->max + by : LARGEST;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent) {
  double exact = (double)histogram->count * percent / 100;
  uint64_t rank = (uint64_t)exact, seen = 0;
  if ((double)rank < exact || rank == 0) rank++; /* up: half of three values are two of them */
  for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
    seen += histogram->buckets[i];
    if (seen >= rank) return bucket_end(i) < histogram->max ? bucket_end(i) : histogram->max;
  }
  return histogram->max;
}

double histogram_mean(const struct histogram *histogram) {
  return histogram->count ? (double)histogram->sum / (double)histogram->count : 0;
}
