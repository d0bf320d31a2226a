/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_QUIC_FRAME_H
#define WT_WIRE_QUIC_FRAME_H

/* The frames of an opened QUIC packet (RFC 9000, section 19; RFC 9221; RESET_STREAM_AT). */

#include <stddef.h>
#include <stdint.h>

#define WT__FRAME_RESET_STREAM 0x04
#define WT__FRAME_STOP_SENDING 0x05
#define WT__FRAME_STREAM 0x08 /* to 0x0f */
#define WT__FRAME_RESET_STREAM_AT 0x24
#define WT__FRAME_DATAGRAM 0x30 /* and 0x31 */

/* What a frame says; members that its type does not have are 0. */
struct wt__quic_frame {
  uint64_t type;
  uint64_t id;            /* the stream */
  uint64_t code;          /* RESET_STREAM, STOP_SENDING, RESET_STREAM_AT, CONNECTION_CLOSE */
  uint64_t final_size;    /* RESET_STREAM, RESET_STREAM_AT */
  uint64_t reliable_size; /* RESET_STREAM_AT */
  uint64_t offset;        /* STREAM, CRYPTO */
  const uint8_t *data;    /* STREAM, CRYPTO, DATAGRAM, and whatever else is variable */
  size_t data_len;
};

/* Reads the frame at the front of `data`. Returns its length, or 0 if it is cut short or of an unknown
 * type: what follows then cannot be read either. A run of PADDING is one frame. */
size_t wt__quic_frame_read(const uint8_t *data, size_t len, struct wt__quic_frame *frame);

#endif
