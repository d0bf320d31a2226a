/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_CONTROL_READER_H
#define WT_H3_CONTROL_READER_H

/*
 * The frames of the peer's control stream (RFC 9114, section 6.2.1), cut out of chunks that begin and end anywhere. This
 * is a reader of bytes: it knows no connection. What becomes of the frames is decided in peer_control.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h3/frames.h"
#include "wire/settings.h"

#define WT__PRIORITY_UPDATE_MAX 64 /* bytes of the frame's payload; longer ones are dropped */

enum wt__control_event {
  WT__CONTROL_KEPT,            /* nothing to do yet: the bytes are kept */
  WT__CONTROL_PASS,            /* the bytes in `bytes` are nghttp3's */
  WT__CONTROL_DROP,            /* `len` bytes were dropped, of a PRIORITY_UPDATE that is too long */
  WT__CONTROL_SETTINGS,        /* `payload` is whole; `bytes`, which end with it, are nghttp3's */
  WT__CONTROL_PRIORITY_UPDATE, /* `payload` is whole; `bytes` are the whole frame: nghttp3 has no part of it yet */
  /* Errors of the connection. The reader must not be used again, except to be freed. */
  WT__CONTROL_SETTINGS_TOO_LONG, /* the payload is longer than WT__SETTINGS_PAYLOAD_MAX */
  WT__CONTROL_SIGNAL,            /* a frame of type 0x41 */
  WT__CONTROL_NO_MEMORY,
};

/* What a step has found. All is borrowed until the next step. */
struct wt__control_piece {
  const uint8_t *bytes;
  size_t len;
  const uint8_t *payload;
  size_t payload_len;
};

struct wt__control_reader {
  struct wt__frames frames;
  bool takes_updates; /* PRIORITY_UPDATE frames are held back until they are whole */
  bool first_seen;    /* the first frame has begun: only it may be SETTINGS */
  uint8_t taken;      /* what is done with the frame that goes by: see control_reader.c */
  uint8_t *kept;      /* what came of it, head included: in `small`, or on the heap if it needs more */
  size_t kept_len;
  uint8_t small[WT__FRAME_HEAD_MAX + WT__PRIORITY_UPDATE_MAX];
};

/* `type_len`: bytes of the stream's type, which come first. `takes_updates`: of a server. */
void wt__control_reader_init(struct wt__control_reader *reader, size_t type_len, bool takes_updates);
void wt__control_reader_free(struct wt__control_reader *reader);

/* Takes the next `*used` bytes of a chunk of at least one. */
enum wt__control_event wt__control_read(struct wt__control_reader *reader, const uint8_t *data, size_t len,
                                        size_t *used, struct wt__control_piece *piece);

#endif
