/* SPDX-License-Identifier: MIT */
/*
 * Following the frames of an HTTP/3 stream (RFC 9114, section 7.1): the type and length of each; the payload is only
 * counted. headers.c and control_reader.c decide what a frame means.
 *
 * 0x41 begins a WebTransport stream, and may stand nowhere else: as the type of a later frame it is a connection error
 * (draft section 4.3). nghttp3 takes it for an unknown frame, reads the session id as a length and skips what follows, so
 * that bytes vanish instead. So whoever follows the frames must close the connection when such a frame begins.
 */

#include "h3/frames.h"

#include "wire/stream_header.h"
#include "wire/varint.h"

/* Takes bytes of a frame's head, one by one. True once it is whole: `*type` and `frames->left` are set. */
static bool head_take(struct wt__frames *frames, uint8_t byte, uint64_t *type) {
  size_t type_len, length_len;
  if (frames->head_done) frames->head_len = 0;
  frames->head_done = false;
  frames->head[frames->head_len++] = byte;
  type_len = wt__varint_read(frames->head, frames->head_len, type);
  if (type_len == 0) return false;
  if (*type == WT__SIGNAL_BIDI) return true;
  length_len = wt__varint_read(frames->head + type_len, frames->head_len - type_len, &frames->left);
  return length_len > 0;
}

enum wt__frames_step wt__frames_step(struct wt__frames *frames, const uint8_t *data, size_t len, size_t *taken,
                                     uint64_t *type) {
  *taken = 1;
  if (frames->left > 0) {
    *taken = frames->left < len ? (size_t)frames->left : len;
    frames->left -= *taken;
    return WT__FRAMES_PAYLOAD;
  }
  frames->head_done = head_take(frames, *data, type);
  return frames->head_done ? WT__FRAMES_BEGUN : WT__FRAMES_HEAD;
}

bool wt__frames_between(const struct wt__frames *frames) {
  return frames->left == 0 && (frames->head_done || frames->head_len == 0);
}
