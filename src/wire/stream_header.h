/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_STREAM_HEADER_H
#define WT_WIRE_STREAM_HEADER_H

/*
 * The first bytes of a stream decide whose it is (draft sections 4.2 and 4.3): 0x54 on a
 * unidirectional one, 0x41 on a bidirectional one, then the session id; anything else is HTTP/3's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT__STREAM_TYPE_UNI 0x54
#define WT__SIGNAL_BIDI 0x41
#define WT__STREAM_HEADER_MAX 16 /* two varints of eight bytes; ours have at most 10 */

enum wt__stream_header_result {
  WT__STREAM_HEADER_MORE = 0,    /* not enough bytes to tell */
  WT__STREAM_HEADER_WT = 1,      /* a WebTransport stream: `*session_id` and `*header_len` are set */
  WT__STREAM_HEADER_HTTP = 2,    /* HTTP/3's own: `*type` is its first varint, nothing is used up */
  WT__STREAM_HEADER_BAD_ID = -1, /* the session id is no client-initiated bidirectional stream: H3_ID_ERROR */
};

/* Looks at the first `len` bytes of a stream. */
enum wt__stream_header_result wt__stream_header_read(bool uni, const uint8_t *data, size_t len, uint64_t *type,
                                                     int64_t *session_id, size_t *header_len);

/* Writes the header; `dst` has room for WT__STREAM_HEADER_MAX bytes. Returns the length. */
size_t wt__stream_header_write(uint8_t *dst, bool uni, int64_t session_id);

#endif
