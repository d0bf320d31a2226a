/* SPDX-License-Identifier: MIT */

/*
 * Whose stream is it?
 *
 *     unidirectional:  type = 0x54    session id    application bytes ...
 *     bidirectional:   signal = 0x41  session id    application bytes ...
 *
 * Both numbers are varints, so each takes at least two bytes (0x40 0x54), and a peer may choose a
 * longer form of either and may put each byte in a packet of its own; browsers often send the header
 * in a STREAM frame by itself. The demultiplexer therefore keeps the first bytes of every stream until
 * this function can tell, at most WT__STREAM_HEADER_MAX of them.
 *
 * On a bidirectional stream of HTTP/3 the first varint is the type of a frame, on a unidirectional one
 * the type of the stream. Both are left where they are for the HTTP/3 library to read again.
 *
 * Whether the session exists is not asked here, only whether its id can be one: a client-initiated
 * bidirectional stream (draft section 4, the two lowest bits are 0).
 */

#include "wire/stream_header.h"

#include "wire/varint.h"

enum wt__stream_header_result wt__stream_header_read(bool uni, const uint8_t *data, size_t len, uint64_t *type,
                                                     int64_t *session_id, size_t *header_len) {
  uint64_t first, id;
  size_t n = wt__varint_read(data, len, &first);
  if (n == 0) return WT__STREAM_HEADER_MORE;
  *type = first;
  if (first != (uni ? WT__STREAM_TYPE_UNI : WT__SIGNAL_BIDI)) return WT__STREAM_HEADER_HTTP;
  size_t m = wt__varint_read(data + n, len - n, &id);
  if (m == 0) return WT__STREAM_HEADER_MORE;
  if (id & 3) return WT__STREAM_HEADER_BAD_ID;
  *session_id = (int64_t)id;
  *header_len = n + m;
  return WT__STREAM_HEADER_WT;
}

size_t wt__stream_header_write(uint8_t *dst, bool uni, int64_t session_id) {
  size_t n = wt__varint_write(dst, uni ? WT__STREAM_TYPE_UNI : WT__SIGNAL_BIDI);
  return n + wt__varint_write(dst + n, (uint64_t)session_id);
}
