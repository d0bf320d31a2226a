/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_QUIC_FRAME_H
#define WT_WIRE_QUIC_FRAME_H

/* The frames of an opened QUIC packet (RFC 9000, section 19; RFC 9221; RESET_STREAM_AT). */

#include <stddef.h>
#include <stdint.h>

#define WT__FRAME_PADDING 0x00
#define WT__FRAME_PING 0x01
#define WT__FRAME_PATH_CHALLENGE 0x1a
#define WT__FRAME_ACK 0x02 /* and 0x03 */
#define WT__FRAME_RESET_STREAM 0x04
#define WT__FRAME_STOP_SENDING 0x05
#define WT__FRAME_CRYPTO 0x06
#define WT__FRAME_STREAM 0x08 /* to 0x0f */
#define WT__FRAME_STREAM_FIN 0x01
#define WT__FRAME_NEW_CONNECTION_ID 0x18
#define WT__FRAME_RETIRE_CONNECTION_ID 0x19
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
  uint64_t sequence;      /* NEW_CONNECTION_ID, RETIRE_CONNECTION_ID: which id */
  uint64_t largest;       /* ACK: the number of the latest packet */
  uint64_t ranges;        /* ACK: those behind the first */
  const uint8_t *data;    /* STREAM, CRYPTO, DATAGRAM, ACK, and whatever else is variable */
  size_t data_len;
};

/* Reads the frame at the front of `data`. Returns its length, or 0 if it is cut short or of an unknown
 * type: what follows then cannot be read either. A run of PADDING is one frame. */
size_t wt__quic_frame_read(const uint8_t *data, size_t len, struct wt__quic_frame *frame);

/* What a packet is sent for. */
enum wt__packet_purpose {
  WT__PACKET_FOR_DATA,  /* or anything but the two below */
  WT__PACKET_FOR_ACK,   /* only to acknowledge: nobody acknowledges it in turn */
  WT__PACKET_FOR_PROBE, /* only to be acknowledged: PING, and ACK and PADDING beside it */
};
enum wt__packet_purpose wt__quic_packet_purpose(const uint8_t *data, size_t len);

/* Tells of each range of packets that the ACK frame acknowledges, the latest first, up to the first that makes no sense. */
typedef void (*wt__ack_range)(void *ctx, uint64_t first, uint64_t last);
void wt__quic_ack_ranges(const struct wt__quic_frame *ack, wt__ack_range range, void *ctx);

/* --- Changing frames in place: the length of a packet never changes --- */

/* What is to become of a RESET_STREAM, RESET_STREAM_AT or STOP_SENDING. */
enum wt__frame_fate {
  WT__FRAME_KEEP,
  WT__FRAME_AS_RESET, /* a RESET_STREAM_AT becomes a RESET_STREAM, and PADDING for the Reliable Size */
  WT__FRAME_AS_PING,  /* PING and PADDING: the packet is acknowledged all the same */
};
typedef enum wt__frame_fate (*wt__frame_judge)(void *ctx, const struct wt__quic_frame *frame);

/* What a packet has: */
#define WT__FRAMES_DATA 0x01  /* STREAM or DATAGRAM frames */
#define WT__FRAMES_ACK 0x02   /* ACK frames of one range */
#define WT__FRAMES_OTHER 0x04 /* other frames than those, PING and PADDING; also what cannot be read */

/* Asks `judge` about each frame of those three types, from the front of the packet up to the first frame
 * that cannot be read, and does what it says. STREAM frames with a FIN, CRYPTO, ACK, PATH_CHALLENGE and
 * RETIRE_CONNECTION_ID frames are shown to it too, and kept unless it says WT__FRAME_AS_PING. Returns the WT__FRAMES_ bits of the packet as it was. */
unsigned wt__quic_frames_rewrite(uint8_t *data, size_t len, wt__frame_judge judge, void *ctx);

/* NEW_CONNECTION_ID frames with this sequence number or a higher one get it as their Retire Prior To, if it was less. They
 * must have one byte for it, as those of ngtcp2 have: there is no room for more than WT__RETIRE_PRIOR_TO_MAX. */
#define WT__RETIRE_PRIOR_TO_MAX 63
void wt__quic_frames_retire_prior_to(uint8_t *data, size_t len, uint64_t sequence);
/* The NEW_CONNECTION_ID frame with this sequence number becomes PING and PADDING. */
void wt__quic_frames_hide_id(uint8_t *data, size_t len, uint64_t sequence);

/* Writes the RESET_STREAM or RESET_STREAM_AT that `frame` says. Returns the length. */
#define WT__FRAME_RESET_MAX (1 + 4 * 8)
size_t wt__quic_frame_write_reset(uint8_t *dst, const struct wt__quic_frame *frame);

/* A carrier is the payload of a DATAGRAM frame: eight bytes of 0xff, which is no quarter stream id of an HTTP
 * datagram (RFC 9297, section 2.1), and a RESET_STREAM_AT or a PING. Returns the length. */
#define WT__CARRIER_MAX (8 + WT__FRAME_RESET_MAX)
size_t wt__quic_carrier_write(uint8_t *dst, const struct wt__quic_frame *frame);

/* A carrier of a NEW_CONNECTION_ID that asks to retire all ids before it. */
#define WT__RESET_TOKEN_LEN 16
#define WT__CARRIER_ID_MAX (8 + 1 + 8 + 8 + 1 + 20 + WT__RESET_TOKEN_LEN)
size_t wt__quic_carrier_write_id(uint8_t *dst, uint64_t sequence, const uint8_t *id, size_t id_len,
                                 const uint8_t token[WT__RESET_TOKEN_LEN]);

/* Each DATAGRAM frame with a carrier becomes what it carries, and PADDING. Returns how many there were. */
size_t wt__quic_carriers_unwrap(uint8_t *data, size_t len);

#endif
