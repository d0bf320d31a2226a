/* SPDX-License-Identifier: MIT */

/*
 * Bounds on CRYPTO frames that come out of order.
 *
 * ngtcp2 keeps them until the gaps are filled, up to 64 KiB ahead at each level, and a record for each piece: one byte
 * at every second offset makes 32,000 pieces, some megabytes of a peer that has shown nothing. So the frames of each
 * packet are looked through once it is decrypted, and the pieces are counted here as ngtcp2 has them:
 *
 *        next                                        next + ahead
 *     ====|......[===]....[=]........[======]........|
 *         |         pieces, each with a gap before it
 *
 * Beyond a bound the connection ends with CRYPTO_BUFFER_EXCEEDED, as section 7.5 of RFC 9000 has it. That is noticed
 * when ngtcp2 has read the packet, so the pieces of one packet may come on top.
 *
 * Nearly all handshakes come in order and need three numbers. Whether a frame may be in its packet is ngtcp2's to say.
 */

#include "quic/crypto_in.h"

#include <ngtcp2/ngtcp2.h>
#include <string.h>

#include "base/gauge.h"
#include "base/mem.h"
#include "wire/quic_frame.h"

#define VERSION_END 5 /* of a long header: a byte, and the version */

struct wt__crypto_pieces {
  size_t len;
  struct {
    uint64_t begin, end;
  } items[WT__CRYPTO_PIECES_MAX]; /* in order, with a gap before each */
};

void wt__crypto_in_init(struct wt__crypto_in *in, struct wt__gauge *gauge) {
  memset(in, 0, sizeof(*in));
  in->gauge = gauge;
}

/* The pieces of a level, also where there were none; NULL: no memory. */
static struct wt__crypto_pieces *pieces_of(struct wt__crypto_in *in, unsigned level) {
  if (in->pieces[level]) return in->pieces[level];
  in->pieces[level] = wt__calloc(1, sizeof(*in->pieces[level]));
  if (in->pieces[level]) wt__gauge_add(in->gauge, sizeof(*in->pieces[level]));
  return in->pieces[level];
}

static void pieces_free(struct wt__crypto_in *in, unsigned level) {
  if (in->pieces[level]) wt__gauge_remove(in->gauge, sizeof(*in->pieces[level]));
  wt__free(in->pieces[level]);
  in->pieces[level] = NULL;
}

void wt__crypto_in_free(struct wt__crypto_in *in) {
  for (unsigned level = 0; level < WT__CRYPTO_LEVELS; level++) pieces_free(in, level);
}

/* Takes out `count` pieces from the one at `at` on. */
static void pieces_remove(struct wt__crypto_pieces *pieces, size_t at, size_t count) {
  memmove(&pieces->items[at], &pieces->items[at + count], (pieces->len - at - count) * sizeof(pieces->items[0]));
  pieces->len -= count;
}

/* All below `end` has come: pieces that this reaches are no longer ahead. */
static void level_advance(struct wt__crypto_in *in, unsigned level, uint64_t end) {
  struct wt__crypto_pieces *pieces = in->pieces[level];
  size_t reached = 0;
  for (; pieces && reached < pieces->len && pieces->items[reached].begin <= end; reached++) {
    if (pieces->items[reached].end > end) end = pieces->items[reached].end;
  }
  in->next[level] = end;
  if (!pieces) return;
  pieces_remove(pieces, 0, reached);
  if (pieces->len == 0) pieces_free(in, level);
}

/* Adds a piece, joined with those that it touches. False: there are too many. */
static bool pieces_add(struct wt__crypto_pieces *pieces, uint64_t begin, uint64_t end) {
  size_t at = 0, touched = 0;
  while (at < pieces->len && pieces->items[at].end < begin) at++;
  for (; at + touched < pieces->len && pieces->items[at + touched].begin <= end; touched++) {
    if (pieces->items[at + touched].begin < begin) begin = pieces->items[at + touched].begin;
    if (pieces->items[at + touched].end > end) end = pieces->items[at + touched].end;
  }
  if (touched > 0) {
    pieces_remove(pieces, at + 1, touched - 1);
  } else {
    if (pieces->len == WT__CRYPTO_PIECES_MAX) return false;
    memmove(&pieces->items[at + 1], &pieces->items[at], (pieces->len - at) * sizeof(pieces->items[0]));
    pieces->len++;
  }
  pieces->items[at].begin = begin;
  pieces->items[at].end = end;
  return true;
}

void wt__crypto_in_frame(struct wt__crypto_in *in, unsigned level, uint64_t offset, size_t len, uint64_t ahead) {
  uint64_t end = offset + len;
  if (in->error || len == 0 || end <= in->next[level]) return;
  if (offset <= in->next[level]) {
    level_advance(in, level, end);
    return;
  }
  if (end - in->next[level] > ahead) {
    in->error = NGTCP2_ERR_CRYPTO_BUFFER_EXCEEDED;
    return;
  }
  struct wt__crypto_pieces *pieces = pieces_of(in, level);
  if (!pieces) {
    in->error = NGTCP2_ERR_NOMEM;
  } else if (!pieces_add(pieces, offset, end)) {
    in->error = NGTCP2_ERR_CRYPTO_BUFFER_EXCEEDED;
  }
}

/* The level of a packet with a long header (RFC 9000, section 17.2; RFC 9369, section 3.2); -1: one without CRYPTO. */
static int level_of(const uint8_t *header) {
  uint32_t version = (uint32_t)header[1] << 24 | (uint32_t)header[2] << 16 | (uint32_t)header[3] << 8 | header[4];
  unsigned type = header[0] >> 4 & 3, initial = version == NGTCP2_PROTO_VER_V2 ? 1 : 0;
  if (type == initial) return 0;
  return type == initial + 2 ? 1 : -1;
}

void wt__crypto_in_packet(struct wt__crypto_in *in, const uint8_t *header, size_t header_len, const uint8_t *payload,
                          size_t len, uint64_t ahead) {
  struct wt__quic_frame frame;
  int level = header_len >= VERSION_END && header[0] & 0x80 ? level_of(header) : -1;
  if (level < 0) return;
  for (size_t n; (n = wt__quic_frame_read(payload, len, &frame)); payload += n, len -= n) {
    if (frame.type == WT__FRAME_CRYPTO) wt__crypto_in_frame(in, (unsigned)level, frame.offset, frame.data_len, ahead);
  }
}
