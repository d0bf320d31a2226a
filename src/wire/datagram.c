/* SPDX-License-Identifier: MIT */

/*
 * The head of an HTTP Datagram in a QUIC DATAGRAM frame (RFC 9297, section 2.1; draft section 4.5):
 *
 *     quarter stream id (varint)    payload ...
 *
 * The quarter stream id is the CONNECT stream's id divided by four, which is exact, because that stream
 * is a client-initiated bidirectional one: so no id read here can be of the wrong kind. Multiplied
 * again it must still be a stream id, hence the bound of 2^60-1.
 *
 * A payload may be empty; browsers send such datagrams. There is no context id in front of it.
 */

#include "wire/datagram.h"

#include "wire/varint.h"

size_t wt__datagram_header_read(const uint8_t *data, size_t len, int64_t *session_id) {
  uint64_t quarter;
  size_t n = wt__varint_read(data, len, &quarter);
  if (n == 0 || quarter > WT__VARINT_MAX / 4) return 0;
  *session_id = (int64_t)(quarter * 4);
  return n;
}

size_t wt__datagram_header_len(int64_t session_id) { return wt__varint_len((uint64_t)session_id / 4); }

size_t wt__datagram_header_write(uint8_t *dst, int64_t session_id) {
  return wt__varint_write(dst, (uint64_t)session_id / 4);
}
