/* SPDX-License-Identifier: MIT */

/*
 * Variable-length integers (RFC 9000, section 16): the two top bits of the first byte give the length,
 * the rest is the value in network order.
 *
 *     00xxxxxx                              1 byte,  up to 63
 *     01xxxxxx xxxxxxxx                     2 bytes, up to 16,383
 *     10xxxxxx (3 more)                     4 bytes, up to 2^30-1
 *     11xxxxxx (7 more)                     8 bytes, up to 2^62-1
 *
 * A value may come in a longer form than it needs; only the type of a QUIC frame must be in its
 * shortest, and that is not read here. Ours are always the shortest.
 */

#include "wire/varint.h"

size_t wt__varint_len(uint64_t value) {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x40000000) return 4;
  return 8;
}

size_t wt__varint_read(const uint8_t *data, size_t len, uint64_t *value) {
  if (len == 0) return 0;
  size_t n = wt__varint_len_of(data[0]);
  if (n > len) return 0;
  uint64_t v = data[0] & 0x3f;
  for (size_t i = 1; i < n; i++) v = v << 8 | data[i];
  *value = v;
  return n;
}

size_t wt__varint_write(uint8_t *dst, uint64_t value) {
  size_t n = wt__varint_len(value);
  for (size_t i = n; i-- > 0; value >>= 8) dst[i] = (uint8_t)value;
  uint8_t prefix = n == 1 ? 0x00 : n == 2 ? 0x40 : n == 4 ? 0x80 : 0xc0;
  dst[0] = (uint8_t)((dst[0] & 0x3f) | prefix); /* a value past WT__VARINT_MAX loses its top bits, nothing else */
  return n;
}
