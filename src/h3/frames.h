/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_FRAMES_H
#define WT_H3_FRAMES_H

/* The frames of an HTTP/3 stream (RFC 9114, section 7.1), walked as their bytes come. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT__FRAME_HEAD_MAX 16 /* bytes of a type and a length */

struct wt__frames {
  uint8_t head[WT__FRAME_HEAD_MAX]; /* type and length of the frame that begins, or of the one that goes by */
  uint8_t head_len;
  bool head_done;
  uint64_t left; /* of the payload */
};

enum wt__frames_step {
  WT__FRAMES_HEAD,    /* a part of a frame's head */
  WT__FRAMES_BEGUN,   /* the last byte of a head: `*type` is set, and `left` */
  WT__FRAMES_PAYLOAD, /* of the frame that has begun */
};

/* Takes the next `*taken` bytes of a chunk that has one at least. A frame of type 0x41 begins with its type alone. */
enum wt__frames_step wt__frames_step(struct wt__frames *frames, const uint8_t *data, size_t len, size_t *taken,
                                     uint64_t *type);
/* Whether no frame has begun that has not ended. */
bool wt__frames_between(const struct wt__frames *frames);

#endif
