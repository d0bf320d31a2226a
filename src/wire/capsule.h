/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_CAPSULE_H
#define WT_WIRE_CAPSULE_H

/*
 * The Capsule Protocol (RFC 9297, section 3) and the capsules of WebTransport. The reader is fed the
 * bytes of a CONNECT stream as they come, split anywhere, and reports whole capsules. Unknown types
 * are skipped without being stored, whatever their length; known ones have a maximum.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wt__capsule_type {
  WT__CAPSULE_DATAGRAM = 0x00,
  WT__CAPSULE_CLOSE_SESSION = 0x2843,
  WT__CAPSULE_DRAIN_SESSION = 0x78ae,
  WT__CAPSULE_MAX_DATA = 0x190b4d3d,
  WT__CAPSULE_MAX_STREAM_DATA = 0x190b4d3e,
  WT__CAPSULE_MAX_STREAMS_BIDI = 0x190b4d3f,
  WT__CAPSULE_MAX_STREAMS_UNI = 0x190b4d40,
  WT__CAPSULE_DATA_BLOCKED = 0x190b4d41,
  WT__CAPSULE_STREAM_DATA_BLOCKED = 0x190b4d42,
  WT__CAPSULE_STREAMS_BLOCKED_BIDI = 0x190b4d43,
  WT__CAPSULE_STREAMS_BLOCKED_UNI = 0x190b4d44,
};

/* The longest close reason (draft section 6), and with it the longest capsule that is stored. */
#define WT__CLOSE_REASON_MAX 1024
#define WT__CAPSULE_VALUE_MAX (4 + WT__CLOSE_REASON_MAX)

/* One capsule. Which members are set depends on `type`. */
struct wt__capsule {
  uint64_t type;
  uint64_t value;     /* the flow-control capsules: their one varint */
  uint32_t code;      /* CLOSE_SESSION */
  const char *reason; /* CLOSE_SESSION: borrowed from the reader, valid UTF-8, not NUL-terminated */
  size_t reason_len;
};

enum wt__capsule_result {
  WT__CAPSULE_MORE = 0,       /* all input used, no capsule is whole yet */
  WT__CAPSULE_DONE = 1,       /* `*capsule` is set; call again with what is left */
  WT__CAPSULE_MALFORMED = -1, /* H3_DATAGRAM_ERROR (RFC 9297, section 3.3) */
  WT__CAPSULE_NO_MEMORY = -3,
  WT__CAPSULE_BAD_CLOSE = -2, /* reason over 1,024 bytes or not UTF-8: H3_MESSAGE_ERROR (section 6) */
};

struct wt__capsule_reader {
  uint8_t header[16]; /* the two varints, while they come in pieces */
  size_t header_len;
  uint64_t type;
  uint64_t left; /* bytes of the value still to come */
  bool in_value;
  bool store; /* a known type: keep its value */
  size_t value_len;
  uint8_t *value; /* of the last capsule that was stored; NULL before the first */
};

void wt__capsule_reader_init(struct wt__capsule_reader *reader);
void wt__capsule_reader_free(struct wt__capsule_reader *reader);

/* Reads from `data`, up to the end of one capsule; `*used` says how far. Unknown capsules and
 * WT__CAPSULE_DATAGRAM are passed over silently. */
enum wt__capsule_result wt__capsule_read(struct wt__capsule_reader *reader, const uint8_t *data, size_t len,
                                         size_t *used, struct wt__capsule *capsule);

/* Whether the stream may end here: not inside a capsule. */
bool wt__capsule_reader_at_boundary(const struct wt__capsule_reader *reader);

/* Writers: `dst` has room for WT__CAPSULE_WRITE_MAX bytes; they return the length. */
#define WT__CAPSULE_WRITE_MAX (8 + 8 + WT__CAPSULE_VALUE_MAX)
/* `reason` of `reason_len` is cut at WT__CLOSE_REASON_MAX bytes on a character boundary. */
size_t wt__capsule_write_close(uint8_t *dst, uint32_t code, const char *reason, size_t reason_len);
size_t wt__capsule_write_drain(uint8_t *dst);
/* MAX_DATA, MAX_STREAMS_*, DATA_BLOCKED, STREAMS_BLOCKED_*. */
size_t wt__capsule_write_varint(uint8_t *dst, enum wt__capsule_type type, uint64_t value);

#endif
