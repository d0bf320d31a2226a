/* SPDX-License-Identifier: MIT */

/*
 * Reads the frames of a packet's payload one after the other, for those few that ngtcp2 does not tell of.
 *
 * Frames do not carry their length, so every type has to be known to find the next one. Most are a type
 * and some varints; the rest have bytes in them and a function each.
 *
 * It does not judge: whether a frame may be in this packet, or its values make sense, is ngtcp2's to say.
 */

#include "wire/quic_frame.h"

#include <string.h>

#include "wire/varint.h"

#define RESET_TOKEN_LEN 16
#define PATH_DATA_LEN 8

struct cursor {
  const uint8_t *at;
  size_t left;
};

/* Each returns 0 if there are too few bytes, else 1. */
static int read_varint(struct cursor *cursor, uint64_t *value) {
  size_t n = wt__varint_read(cursor->at, cursor->left, value);
  cursor->at += n;
  cursor->left -= n;
  return n != 0;
}

static int read_bytes(struct cursor *cursor, uint64_t len, struct wt__quic_frame *frame) {
  if (len > cursor->left) return 0;
  frame->data = cursor->at;
  frame->data_len = (size_t)len;
  cursor->at += len;
  cursor->left -= (size_t)len;
  return 1;
}

static int read_sized(struct cursor *cursor, struct wt__quic_frame *frame) {
  uint64_t len;
  return read_varint(cursor, &len) && read_bytes(cursor, len, frame);
}

static int read_varints(struct cursor *cursor, uint64_t count) {
  uint64_t value;
  while (count--) {
    if (!read_varint(cursor, &value)) return 0;
  }
  return 1;
}

static int read_padding(struct cursor *cursor) {
  while (cursor->left && cursor->at[0] == 0) {
    cursor->at++;
    cursor->left--;
  }
  return 1;
}

/* Largest, delay, count, first range; then a gap and a length each; with ECN three counts. */
static int read_ack(struct cursor *cursor, struct wt__quic_frame *frame) {
  uint64_t ranges, first;
  if (!read_varints(cursor, 2) || !read_varint(cursor, &ranges) || !read_varint(cursor, &first)) return 0;
  if (ranges > cursor->left / 2) return 0; /* a varint has a byte at least */
  return read_varints(cursor, 2 * ranges) && (frame->type == 0x02 || read_varints(cursor, 3));
}

static int read_stream(struct cursor *cursor, struct wt__quic_frame *frame) {
  if (!read_varint(cursor, &frame->id)) return 0;
  if ((frame->type & 0x04) && !read_varint(cursor, &frame->offset)) return 0;
  return frame->type & 0x02 ? read_sized(cursor, frame) : read_bytes(cursor, cursor->left, frame);
}

static int read_reset(struct cursor *cursor, struct wt__quic_frame *frame) {
  if (!read_varint(cursor, &frame->id) || !read_varint(cursor, &frame->code)) return 0;
  if (frame->type == WT__FRAME_STOP_SENDING) return 1;
  if (!read_varint(cursor, &frame->final_size)) return 0;
  return frame->type == WT__FRAME_RESET_STREAM || read_varint(cursor, &frame->reliable_size);
}

static int read_new_connection_id(struct cursor *cursor, struct wt__quic_frame *frame) {
  if (!read_varints(cursor, 2) || !cursor->left) return 0;
  size_t len = *cursor->at++;
  cursor->left--;
  return read_bytes(cursor, len + RESET_TOKEN_LEN, frame);
}

static int read_close(struct cursor *cursor, struct wt__quic_frame *frame) {
  if (!read_varint(cursor, &frame->code)) return 0;
  if (frame->type == 0x1c && !read_varints(cursor, 1)) return 0;
  return read_sized(cursor, frame);
}

static int read_body(struct cursor *cursor, struct wt__quic_frame *frame) {
  switch (frame->type) {
    case 0x00: return read_padding(cursor);
    case 0x01: /* PING */
    case 0x1e: /* HANDSHAKE_DONE */ return 1;
    case 0x02:
    case 0x03: return read_ack(cursor, frame);
    case WT__FRAME_RESET_STREAM:
    case WT__FRAME_STOP_SENDING:
    case WT__FRAME_RESET_STREAM_AT: return read_reset(cursor, frame);
    case 0x06: /* CRYPTO */ return read_varint(cursor, &frame->offset) && read_sized(cursor, frame);
    case 0x07: /* NEW_TOKEN */
    case WT__FRAME_DATAGRAM | 1: return read_sized(cursor, frame);
    case WT__FRAME_DATAGRAM: return read_bytes(cursor, cursor->left, frame);
    case 0x10: /* MAX_DATA, MAX_STREAMS, DATA_BLOCKED, STREAMS_BLOCKED, RETIRE_CONNECTION_ID */
    case 0x12:
    case 0x13:
    case 0x14:
    case 0x16:
    case 0x17:
    case 0x19: return read_varints(cursor, 1);
    case 0x11: /* MAX_STREAM_DATA, STREAM_DATA_BLOCKED */
    case 0x15: return read_varint(cursor, &frame->id) && read_varints(cursor, 1);
    case 0x18: return read_new_connection_id(cursor, frame);
    case 0x1a: /* PATH_CHALLENGE, PATH_RESPONSE */
    case 0x1b: return read_bytes(cursor, PATH_DATA_LEN, frame);
    case 0x1c:
    case 0x1d: return read_close(cursor, frame);
    default: return (frame->type & ~UINT64_C(7)) == WT__FRAME_STREAM ? read_stream(cursor, frame) : 0;
  }
}

size_t wt__quic_frame_read(const uint8_t *data, size_t len, struct wt__quic_frame *frame) {
  struct cursor cursor = {data, len};
  memset(frame, 0, sizeof(*frame));
  if (!read_varint(&cursor, &frame->type) || !read_body(&cursor, frame)) return 0;
  return len - cursor.left;
}
