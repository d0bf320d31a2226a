/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_PATTERN_H
#define WEBTRANSPORT_TOOL_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  PATTERN_PERIOD = 65536 /* the pattern repeats after this many bytes */
};

/* Bounds of /source, which sends the pattern. They keep sums exact in a browser's numbers. */
#define SOURCE_BYTES_DEFAULT ((uint64_t)1 << 20)
#define SOURCE_BYTES_MAX ((uint64_t)1 << 40)
#define SOURCE_STREAMS_MAX ((uint64_t)1000000)

/*
 * Returns the bytes of the pattern from offset `at` on. `*len` gets how many there are in a row, at most `left`. They
 * are static and live for ever.
 */
const uint8_t *pattern_bytes(uint64_t at, uint64_t left, size_t *len);

/* The release function for pattern bytes that are queued without a copy: does nothing. */
void pattern_release(const uint8_t *data, size_t len, void *user_data);

/* Whether `data` is the pattern from offset `at` on. */
bool pattern_matches(uint64_t at, const uint8_t *data, size_t len);

#endif
