/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_VARINT_H
#define WT_WIRE_VARINT_H

/* Variable-length integers (RFC 9000, section 16). */

#include <stddef.h>
#include <stdint.h>

#define WT__VARINT_MAX UINT64_C(0x3fffffffffffffff)

/* The length, 1, 2, 4 or 8, that a varint has whose first byte is `first`. */
static inline size_t wt__varint_len_of(uint8_t first) { return (size_t)1 << (first >> 6); }

/* The shortest length for `value` (at most WT__VARINT_MAX). */
size_t wt__varint_len(uint64_t value);

/* Reads a varint. Returns its length, or 0 if `len` bytes do not hold it whole. */
size_t wt__varint_read(const uint8_t *data, size_t len, uint64_t *value);

/* Writes `value` in its shortest form; `dst` has room for it. Returns the length. */
size_t wt__varint_write(uint8_t *dst, uint64_t value);

#endif
