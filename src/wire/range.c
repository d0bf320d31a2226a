/* SPDX-License-Identifier: MIT */

/*
 * The Range request field (RFC 9110, section 14), for what browsers and download tools send: one range.
 *
 *     bytes=0-499     the first 500 bytes
 *     bytes=500-      all from byte 500 on
 *     bytes=-500      the last 500 bytes
 *
 * A server may ignore the field (section 14.2), and does so with several ranges, which would need a
 * multipart answer, and with what it cannot read. Only a well-formed range of which no byte exists is
 * worth a 416. The last bytes of an empty file are such a case in the letter of the RFC only: no
 * Content-Range could describe them, so they are answered with all there is, nothing.
 */

#include "wire/range.h"

#include <stdbool.h>
#include <strings.h>

/* Reads digits; a number past 2^64-1 becomes that. False if there are none. */
static bool range_number(const char **at, uint64_t *value) {
  const char *start = *at;
  uint64_t v = 0;
  for (; **at >= '0' && **at <= '9'; (*at)++) {
    uint64_t digit = (uint64_t)(**at - '0');
    v = v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : v * 10 + digit;
  }
  *value = v;
  return *at != start;
}

static void range_skip_blanks(const char **at) {
  while (**at == ' ' || **at == '\t') (*at)++;
}

/* The last `count` bytes. */
static enum wt__range_result range_suffix(uint64_t count, uint64_t size, uint64_t *first, uint64_t *last) {
  if (count == 0) return WT__RANGE_UNSATISFIABLE;
  if (size == 0) return WT__RANGE_NONE;
  *first = count < size ? size - count : 0;
  *last = size - 1;
  return WT__RANGE_ONE;
}

enum wt__range_result wt__range_read(const char *value, uint64_t size, uint64_t *first, uint64_t *last) {
  uint64_t from = 0, to = UINT64_MAX;
  if (strncasecmp(value, "bytes=", 6) != 0) return WT__RANGE_NONE;
  const char *at = value + 6;
  range_skip_blanks(&at);
  bool has_from = range_number(&at, &from);
  if (*at++ != '-') return WT__RANGE_NONE;
  bool has_to = range_number(&at, &to);
  range_skip_blanks(&at);
  if (*at != '\0' || (!has_from && !has_to)) return WT__RANGE_NONE;
  if (!has_from) return range_suffix(to, size, first, last);
  if (!has_to) to = UINT64_MAX;
  if (from > to) return WT__RANGE_NONE;
  if (from >= size) return WT__RANGE_UNSATISFIABLE;
  *first = from;
  *last = to < size ? to : size - 1;
  return WT__RANGE_ONE;
}
