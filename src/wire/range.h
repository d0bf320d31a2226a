/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_RANGE_H
#define WT_WIRE_RANGE_H

/* Byte ranges (RFC 9110, section 14): "bytes=0-499", "bytes=500-", "bytes=-500". */

#include <stdint.h>

enum wt__range_result {
  WT__RANGE_NONE = 0,           /* no, several or malformed ranges: answer 200 with all of it */
  WT__RANGE_ONE = 1,            /* 206 with [*first, *last] */
  WT__RANGE_UNSATISFIABLE = -1, /* 416 */
};

/* Reads the value of a Range field for a representation of `size` bytes; `*last` is inclusive. */
enum wt__range_result wt__range_read(const char *value, uint64_t size, uint64_t *first, uint64_t *last);

#endif
