/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_DATAGRAM_H
#define WT_WIRE_DATAGRAM_H

/* HTTP Datagrams in QUIC DATAGRAM frames (RFC 9297, section 2.1): a quarter stream id, then the payload. */

#include <stddef.h>
#include <stdint.h>

#define WT__DATAGRAM_HEADER_MAX 8

/* Reads the session id. Returns the header's length; 0 if malformed (truncated, or an id past
 * 2^62-1: H3_DATAGRAM_ERROR, RFC 9297 section 2.1). */
size_t wt__datagram_header_read(const uint8_t *data, size_t len, int64_t *session_id);

/* The header's length for `session_id`, and writing it. */
size_t wt__datagram_header_len(int64_t session_id);
size_t wt__datagram_header_write(uint8_t *dst, int64_t session_id);

#endif
