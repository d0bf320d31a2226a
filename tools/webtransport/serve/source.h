/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SOURCE_H
#define WEBTRANSPORT_TOOL_SOURCE_H

#include <stddef.h>
#include <stdint.h>

enum {
  SOURCE_PERIOD = 65536
}; /* the pattern repeats after this many bytes */

/*
 * The bytes of /source from offset `at` on: byte i is (i * 31 + (i >> 8)) modulo 256. `*len` gets how
 * many there are in a row, at most `left`. Static; lives for ever.
 */
const uint8_t *source_bytes(uint64_t at, uint64_t left, size_t *len);

/* For bytes of it that are queued without a copy: does nothing. */
void source_release(const uint8_t *data, size_t len, void *user_data);

#endif
