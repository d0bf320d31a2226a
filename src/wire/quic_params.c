/* SPDX-License-Identifier: MIT */

/*
 * One transport parameter that ngtcp2 does not know. Transport parameters are a sequence of number, length
 * and value (RFC 9000, section 18); who does not know a number skips it, so one more at the end of ngtcp2's
 * own is enough to announce it, and a look over the peer's to see it.
 *
 * The parameter says that its sender understands RESET_STREAM_AT. It has no value: anything else is an error
 * that ngtcp2 cannot find. All other checks of the peer's parameters are ngtcp2's.
 */

#include "wire/quic_params.h"

#include <stdbool.h>

#include "wire/varint.h"

enum wt__reset_at_param wt__quic_params_find_reset_at(const uint8_t *data, size_t len) {
  enum wt__reset_at_param found = WT__RESET_AT_ABSENT;
  while (len) {
    uint64_t number, value_len;
    size_t n = wt__varint_read(data, len, &number);
    size_t m = n ? wt__varint_read(data + n, len - n, &value_len) : 0;
    if (!m || value_len > len - n - m) break;
    bool wanted = number == WT__PARAM_RESET_STREAM_AT || number == WT__PARAM_RESET_STREAM_AT_DRAFT;
    if (wanted && value_len) return WT__RESET_AT_MALFORMED;
    if (wanted) found = WT__RESET_AT_PRESENT;
    data += n + m + (size_t)value_len;
    len -= n + m + (size_t)value_len;
  }
  return found;
}

size_t wt__quic_params_write_reset_at(uint8_t *dst) {
  size_t len = wt__varint_write(dst, WT__PARAM_RESET_STREAM_AT);
  dst[len++] = 0;
  len += wt__varint_write(dst + len, WT__PARAM_RESET_STREAM_AT_DRAFT);
  dst[len++] = 0;
  return len;
}
