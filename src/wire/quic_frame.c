/* SPDX-License-Identifier: MIT */

/*
 * Reads the frames of a packet's payload one after the other, for those few that ngtcp2 does not tell of,
 * and changes those that it does not know.
 *
 * Frames do not carry their length, so every type has to be known to find the next one. Most are a type
 * and some varints; the rest have bytes in them and a function each. All known types have one byte; a type
 * written longer than needed is forbidden (RFC 9000, section 12.4) and counts as unknown.
 *
 * It does not judge: whether a frame may be in this packet, or its values make sense, is ngtcp2's to say.
 *
 * Nothing that is changed gets longer: a RESET_STREAM_AT is a RESET_STREAM with another type and one more
 * varint at its end, and what is left over becomes PADDING, which is a frame of one zero byte.
 */

#include "wire/quic_frame.h"

#include <stdbool.h>
#include <string.h>

#include "wire/varint.h"

#define PATH_DATA_LEN 8

static const uint8_t CARRIER_MARK[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

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
  static const uint8_t zeros[16]; /* probes of the path's MTU have 1,400 of them */
  while (cursor->left >= sizeof(zeros) && !memcmp(cursor->at, zeros, sizeof(zeros))) {
    cursor->at += sizeof(zeros);
    cursor->left -= sizeof(zeros);
  }
  while (cursor->left && cursor->at[0] == 0) {
    cursor->at++;
    cursor->left--;
  }
  return 1;
}

/* Largest, delay, count, first range; then a gap and a length each; with ECN three counts. */
static int read_ack(struct cursor *cursor, struct wt__quic_frame *frame) {
  uint64_t first;
  size_t left = cursor->left;
  frame->data = cursor->at;
  if (!read_varint(cursor, &frame->largest) || !read_varints(cursor, 1)) return 0;
  if (!read_varint(cursor, &frame->ranges) || !read_varint(cursor, &first)) return 0;
  if (frame->ranges > cursor->left / 2) return 0; /* a varint has a byte at least */
  if (!read_varints(cursor, 2 * frame->ranges) || (frame->type != WT__FRAME_ACK && !read_varints(cursor, 3))) return 0;
  frame->data_len = left - cursor->left;
  return 1;
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
  if (!read_varint(cursor, &frame->sequence) || !read_varints(cursor, 1) || !cursor->left) return 0;
  size_t len = *cursor->at++;
  cursor->left--;
  return read_bytes(cursor, len + WT__RESET_TOKEN_LEN, frame);
}

static int read_close(struct cursor *cursor, struct wt__quic_frame *frame) {
  if (!read_varint(cursor, &frame->code)) return 0;
  if (frame->type == 0x1c && !read_varints(cursor, 1)) return 0;
  return read_sized(cursor, frame);
}

static int read_body(struct cursor *cursor, struct wt__quic_frame *frame) {
  switch (frame->type) {
    case WT__FRAME_PADDING: return read_padding(cursor);
    case WT__FRAME_PING:
    case 0x1e: /* HANDSHAKE_DONE */ return 1;
    case 0x02:
    case 0x03: return read_ack(cursor, frame);
    case WT__FRAME_RESET_STREAM:
    case WT__FRAME_STOP_SENDING:
    case WT__FRAME_RESET_STREAM_AT: return read_reset(cursor, frame);
    case WT__FRAME_CRYPTO: return read_varint(cursor, &frame->offset) && read_sized(cursor, frame);
    case 0x07: /* NEW_TOKEN */
    case WT__FRAME_DATAGRAM | 1: return read_sized(cursor, frame);
    case WT__FRAME_DATAGRAM: return read_bytes(cursor, cursor->left, frame);
    case 0x10: /* MAX_DATA, MAX_STREAMS, DATA_BLOCKED, STREAMS_BLOCKED */
    case 0x12:
    case 0x13:
    case 0x14:
    case 0x16:
    case 0x17: return read_varints(cursor, 1);
    case WT__FRAME_RETIRE_CONNECTION_ID: return read_varint(cursor, &frame->sequence);
    case 0x11: /* MAX_STREAM_DATA, STREAM_DATA_BLOCKED */
    case 0x15: return read_varint(cursor, &frame->id) && read_varints(cursor, 1);
    case WT__FRAME_NEW_CONNECTION_ID: return read_new_connection_id(cursor, frame);
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
  if (!len || (data[0] & 0xc0) || !read_varint(&cursor, &frame->type) || !read_body(&cursor, frame)) return 0;
  return len - cursor.left;
}

void wt__quic_ack_ranges(const struct wt__quic_frame *ack, wt__ack_range range, void *ctx) {
  struct cursor cursor = {ack->data, ack->data_len};
  uint64_t last, ranges, gap, len;
  if (!read_varint(&cursor, &last) || !read_varints(&cursor, 1) || !read_varint(&cursor, &ranges)) return;
  if (!read_varint(&cursor, &len) || len > last) return;
  range(ctx, last - len, last);
  for (uint64_t first = last - len; ranges-- && read_varint(&cursor, &gap) && read_varint(&cursor, &len);) {
    if (gap + 2 > first || len > first - gap - 2) return;
    last = first - gap - 2;
    first = last - len;
    range(ctx, first, last);
  }
}

/* --- Changing --- */

/* Where the Reliable Size of the RESET_STREAM_AT at `data` begins. */
static size_t reliable_size_at(const uint8_t *data) {
  size_t at = 1;
  for (int i = 0; i < 3; i++) at += wt__varint_len_of(data[at]);
  return at;
}

static void frame_turn_into(uint8_t *data, size_t len, uint8_t type, size_t kept) {
  data[0] = type;
  memset(data + kept, 0, len - kept);
}

/* Those that are only shown. */
static bool frame_is_shown(uint64_t type) {
  return type == WT__FRAME_CRYPTO || (type & ~UINT64_C(1)) == WT__FRAME_ACK || type == WT__FRAME_PATH_CHALLENGE ||
         type == WT__FRAME_RETIRE_CONNECTION_ID ||
         ((type & ~UINT64_C(7)) == WT__FRAME_STREAM && (type & WT__FRAME_STREAM_FIN));
}

static bool frame_is_asked_about(uint64_t type) {
  return type == WT__FRAME_RESET_STREAM || type == WT__FRAME_STOP_SENDING || type == WT__FRAME_RESET_STREAM_AT;
}

static unsigned frame_kind(const struct wt__quic_frame *frame) {
  if ((frame->type & ~UINT64_C(7)) == WT__FRAME_STREAM || (frame->type & ~UINT64_C(1)) == WT__FRAME_DATAGRAM)
    return WT__FRAMES_DATA;
  if ((frame->type & ~UINT64_C(1)) == WT__FRAME_ACK && frame->ranges == 0) return WT__FRAMES_ACK;
  return frame->type == WT__FRAME_PADDING || frame->type == WT__FRAME_PING ? 0 : WT__FRAMES_OTHER;
}

unsigned wt__quic_frames_rewrite(uint8_t *data, size_t len, wt__frame_judge judge, void *ctx) {
  struct wt__quic_frame frame;
  unsigned kinds = 0;
  for (size_t n; (n = wt__quic_frame_read(data, len, &frame)); data += n, len -= n) {
    kinds |= frame_kind(&frame);
    if (frame_is_shown(frame.type) && judge(ctx, &frame) == WT__FRAME_AS_PING)
      frame_turn_into(data, n, WT__FRAME_PING, 1);
    if (!frame_is_asked_about(frame.type)) continue;
    switch (judge(ctx, &frame)) {
      case WT__FRAME_KEEP: break;
      case WT__FRAME_AS_PING: frame_turn_into(data, n, WT__FRAME_PING, 1); break;
      case WT__FRAME_AS_RESET:
        if (frame.type == WT__FRAME_RESET_STREAM_AT)
          frame_turn_into(data, n, WT__FRAME_RESET_STREAM, reliable_size_at(data));
        break;
    }
  }
  return len ? kinds | WT__FRAMES_OTHER : kinds;
}

void wt__quic_frames_retire_prior_to(uint8_t *data, size_t len, uint64_t sequence) {
  struct wt__quic_frame frame;
  for (size_t n; (n = wt__quic_frame_read(data, len, &frame)); data += n, len -= n) {
    if (frame.type != WT__FRAME_NEW_CONNECTION_ID || frame.sequence < sequence) continue;
    uint8_t *prior = data + 1 + wt__varint_len_of(data[1]);
    if (*prior < sequence && sequence <= WT__RETIRE_PRIOR_TO_MAX) *prior = (uint8_t)sequence;
  }
}

void wt__quic_frames_hide_id(uint8_t *data, size_t len, uint64_t sequence) {
  struct wt__quic_frame frame;
  for (size_t n; (n = wt__quic_frame_read(data, len, &frame)); data += n, len -= n) {
    if (frame.type == WT__FRAME_NEW_CONNECTION_ID && frame.sequence == sequence)
      frame_turn_into(data, n, WT__FRAME_PING, 1);
  }
}

enum wt__packet_purpose wt__quic_packet_purpose(const uint8_t *data, size_t len) {
  struct wt__quic_frame frame;
  bool acks = false, asks = false;
  while (len) {
    if (*data > WT__FRAME_ACK + 1) return WT__PACKET_FOR_DATA; /* most packets, without a look at the frame */
    size_t n = wt__quic_frame_read(data, len, &frame);
    if (n == 0) return WT__PACKET_FOR_DATA;
    if (frame.type == WT__FRAME_PING) asks = true;
    if (frame.type >= WT__FRAME_ACK) acks = true;
    data += n;
    len -= n;
  }
  if (asks) return WT__PACKET_FOR_PROBE;
  return acks ? WT__PACKET_FOR_ACK : WT__PACKET_FOR_DATA;
}

size_t wt__quic_frame_write_reset(uint8_t *dst, const struct wt__quic_frame *frame) {
  size_t len = 0;
  dst[len++] = (uint8_t)frame->type;
  len += wt__varint_write(dst + len, frame->id);
  len += wt__varint_write(dst + len, frame->code);
  len += wt__varint_write(dst + len, frame->final_size);
  if (frame->type == WT__FRAME_RESET_STREAM_AT) len += wt__varint_write(dst + len, frame->reliable_size);
  return len;
}

size_t wt__quic_carrier_write(uint8_t *dst, const struct wt__quic_frame *frame) {
  memcpy(dst, CARRIER_MARK, sizeof(CARRIER_MARK));
  dst += sizeof(CARRIER_MARK);
  if (frame->type != WT__FRAME_PING) return sizeof(CARRIER_MARK) + wt__quic_frame_write_reset(dst, frame);
  *dst = WT__FRAME_PING;
  return sizeof(CARRIER_MARK) + 1;
}

size_t wt__quic_carrier_write_id(uint8_t *dst, uint64_t sequence, const uint8_t *id, size_t id_len,
                                 const uint8_t token[WT__RESET_TOKEN_LEN]) {
  size_t len = sizeof(CARRIER_MARK);
  memcpy(dst, CARRIER_MARK, sizeof(CARRIER_MARK));
  dst[len++] = WT__FRAME_NEW_CONNECTION_ID;
  len += wt__varint_write(dst + len, sequence);
  len += wt__varint_write(dst + len, sequence);
  dst[len++] = (uint8_t)id_len;
  memcpy(dst + len, id, id_len);
  memcpy(dst + len + id_len, token, WT__RESET_TOKEN_LEN);
  return len + id_len + WT__RESET_TOKEN_LEN;
}

static bool frame_is_carrier(const struct wt__quic_frame *frame) {
  return (frame->type & ~UINT64_C(1)) == WT__FRAME_DATAGRAM && frame->data_len > sizeof(CARRIER_MARK) &&
         !memcmp(frame->data, CARRIER_MARK, sizeof(CARRIER_MARK));
}

size_t wt__quic_carriers_unwrap(uint8_t *data, size_t len) {
  struct wt__quic_frame frame;
  size_t count = 0;
  for (size_t n; (n = wt__quic_frame_read(data, len, &frame)); data += n, len -= n) {
    if (!frame_is_carrier(&frame)) continue;
    size_t carried = frame.data_len - sizeof(CARRIER_MARK);
    memmove(data, frame.data + sizeof(CARRIER_MARK), carried);
    memset(data + carried, 0, n - carried);
    count++;
  }
  return count;
}
