/* SPDX-License-Identifier: MIT */

/*
 * Capsules on a CONNECT stream (RFC 9297, section 3.2; draft sections 5.6 and 6):
 *
 *     type (varint)   length (varint)   value (length bytes)
 *
 * The stream comes in pieces of any size. So the reader is in one of two states:
 *
 *                   both varints whole
 *     [header] ------------------------------> [value] ---+
 *        ^  one byte at a time, 16 at most        |       | stored if the type is known,
 *        |                                        |       | counted down if it is not
 *        +------- value whole: interpret it ------+<------+
 *
 * A length is judged as soon as it is known: nobody can make us store more than the longest capsule we
 * understand, nor make us wait for the end of one that is too long. Unknown types, the GREASE among
 * them, are passed over (RFC 9297, section 3.3), and so are DATAGRAM capsules: datagrams of a session
 * travel in QUIC DATAGRAM frames. There is memory for a value only once one comes: most sessions live without.
 *
 * It does not know the session: limits that shrink or exceed 2^60, the prohibited *_STREAM_DATA capsules
 * (reported with their type alone) and bytes behind a close capsule are the caller's to judge. After
 * an error the reader begins anew; the caller has nothing more to read from that stream.
 */

#include "wire/capsule.h"

#include <string.h>

#include "base/mem.h"
#include "wire/utf8.h"
#include "wire/varint.h"

#define CAPSULE_CODE_LEN 4

/* What a value of each type may be long. Types that are passed over have no row. */
static bool capsule_bounds(uint64_t type, size_t *min, size_t *max) {
  switch (type) {
    case WT__CAPSULE_CLOSE_SESSION:
      *min = CAPSULE_CODE_LEN;
      *max = WT__CAPSULE_VALUE_MAX;
      return true;
    case WT__CAPSULE_DRAIN_SESSION: *min = *max = 0; return true;
    case WT__CAPSULE_MAX_DATA:
    case WT__CAPSULE_MAX_STREAMS_BIDI:
    case WT__CAPSULE_MAX_STREAMS_UNI:
    case WT__CAPSULE_DATA_BLOCKED:
    case WT__CAPSULE_STREAMS_BLOCKED_BIDI:
    case WT__CAPSULE_STREAMS_BLOCKED_UNI:
      *min = 1;
      *max = 8;
      return true;
    case WT__CAPSULE_MAX_STREAM_DATA: /* two varints, which nobody here reads */
    case WT__CAPSULE_STREAM_DATA_BLOCKED:
      *min = 0;
      *max = 16;
      return true;
    default: return false;
  }
}

void wt__capsule_reader_init(struct wt__capsule_reader *reader) {
  reader->header_len = 0;
  reader->type = 0;
  reader->left = 0;
  reader->in_value = false;
  reader->store = false;
  reader->value_len = 0;
  reader->value = NULL;
}

void wt__capsule_reader_free(struct wt__capsule_reader *reader) {
  wt__free(reader->value);
  reader->value = NULL;
}

bool wt__capsule_reader_at_boundary(const struct wt__capsule_reader *reader) {
  return !reader->in_value && reader->header_len == 0;
}

/* Whether both varints are in; sets the type and the length of the value then. */
static bool capsule_header_whole(struct wt__capsule_reader *reader) {
  size_t n = wt__varint_read(reader->header, reader->header_len, &reader->type);
  return n && wt__varint_read(reader->header + n, reader->header_len - n, &reader->left);
}

/* Judges the header and goes on to the value. */
static enum wt__capsule_result capsule_begin_value(struct wt__capsule_reader *reader) {
  size_t min, max;
  reader->header_len = 0;
  reader->value_len = 0;
  reader->store = capsule_bounds(reader->type, &min, &max);
  if (reader->store && (reader->left < min || reader->left > max)) {
    bool long_reason = reader->type == WT__CAPSULE_CLOSE_SESSION && reader->left > max;
    return long_reason ? WT__CAPSULE_BAD_CLOSE : WT__CAPSULE_MALFORMED;
  }
  if (reader->store) {
    uint8_t *value = wt__realloc(reader->value, (size_t)reader->left);
    if (!value) return WT__CAPSULE_NO_MEMORY;
    reader->value = value;
  }
  reader->in_value = true;
  return WT__CAPSULE_MORE;
}

/* Takes bytes of the value. Returns how many. */
static size_t capsule_take_value(struct wt__capsule_reader *reader, const uint8_t *data, size_t len) {
  size_t n = reader->left < len ? (size_t)reader->left : len;
  if (reader->store && n) {
    memcpy(reader->value + reader->value_len, data, n);
    reader->value_len += n;
  }
  reader->left -= n;
  return n;
}

static enum wt__capsule_result capsule_interpret_close(const struct wt__capsule_reader *reader,
                                                       struct wt__capsule *capsule) {
  const uint8_t *v = reader->value;
  capsule->code = (uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 | (uint32_t)v[2] << 8 | v[3];
  capsule->reason = (const char *)v + CAPSULE_CODE_LEN;
  capsule->reason_len = reader->value_len - CAPSULE_CODE_LEN;
  return wt__utf8_valid(capsule->reason, capsule->reason_len) ? WT__CAPSULE_DONE : WT__CAPSULE_BAD_CLOSE;
}

/* The value of a known type is whole: reads it. */
static enum wt__capsule_result capsule_interpret(const struct wt__capsule_reader *reader, struct wt__capsule *capsule) {
  *capsule = (struct wt__capsule){.type = reader->type};
  switch (reader->type) {
    case WT__CAPSULE_CLOSE_SESSION: return capsule_interpret_close(reader, capsule);
    case WT__CAPSULE_DRAIN_SESSION:
    case WT__CAPSULE_MAX_STREAM_DATA:
    case WT__CAPSULE_STREAM_DATA_BLOCKED: return WT__CAPSULE_DONE;
    default: /* exactly one varint, nothing behind it */
      return wt__varint_read(reader->value, reader->value_len, &capsule->value) == reader->value_len
                 ? WT__CAPSULE_DONE
                 : WT__CAPSULE_MALFORMED;
  }
}

enum wt__capsule_result wt__capsule_read(struct wt__capsule_reader *reader, const uint8_t *data, size_t len,
                                         size_t *used, struct wt__capsule *capsule) {
  enum wt__capsule_result result = WT__CAPSULE_MORE;
  size_t at = 0;
  while (at < len && result == WT__CAPSULE_MORE) {
    if (!reader->in_value) {
      reader->header[reader->header_len++] = data[at++];
      if (!capsule_header_whole(reader)) continue;
      result = capsule_begin_value(reader);
      if (result != WT__CAPSULE_MORE) break;
    }
    at += capsule_take_value(reader, data + at, len - at);
    if (reader->left > 0) break;
    reader->in_value = false;
    if (reader->store) result = capsule_interpret(reader, capsule);
  }
  *used = at;
  return result;
}

static size_t capsule_write_header(uint8_t *dst, uint64_t type, uint64_t len) {
  size_t n = wt__varint_write(dst, type);
  return n + wt__varint_write(dst + n, len);
}

size_t wt__capsule_write_close(uint8_t *dst, uint32_t code, const char *reason, size_t reason_len) {
  reason_len = wt__utf8_cut(reason, reason_len, WT__CLOSE_REASON_MAX);
  size_t n = capsule_write_header(dst, WT__CAPSULE_CLOSE_SESSION, CAPSULE_CODE_LEN + reason_len);
  dst[n++] = (uint8_t)(code >> 24);
  dst[n++] = (uint8_t)(code >> 16);
  dst[n++] = (uint8_t)(code >> 8);
  dst[n++] = (uint8_t)code;
  if (reason_len) memcpy(dst + n, reason, reason_len);
  return n + reason_len;
}

size_t wt__capsule_write_drain(uint8_t *dst) { return capsule_write_header(dst, WT__CAPSULE_DRAIN_SESSION, 0); }

size_t wt__capsule_write_varint(uint8_t *dst, enum wt__capsule_type type, uint64_t value) {
  size_t n = capsule_write_header(dst, type, wt__varint_len(value));
  return n + wt__varint_write(dst + n, value);
}
