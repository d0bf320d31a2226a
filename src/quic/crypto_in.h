/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CRYPTO_IN_H
#define WT_QUIC_CRYPTO_IN_H

/*
 * The gaps in the CRYPTO frames that a peer sends (RFC 9000, section 7.5). Flow control does not hold for them, so what
 * comes out of order has bounds of its own at each encryption level: how far ahead it may be, and in how many pieces.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT__CRYPTO_PIECES_MAX 64      /* a browser cuts its ClientHello into some twenty, in any order */
#define WT__CRYPTO_AHEAD_SERVER 16384 /* bytes; a ClientHello with a post-quantum key has two thousand */
#define WT__CRYPTO_AHEAD_CLIENT 65536 /* certificates are longer, and ngtcp2 takes no more */
#define WT__CRYPTO_LEVELS 3           /* Initial, Handshake, 1-RTT */
#define WT__CRYPTO_LEVEL_1RTT 2

struct wt__crypto_pieces;
struct wt__gauge;

struct wt__crypto_in {
  struct wt__gauge *gauge;
  uint64_t next[WT__CRYPTO_LEVELS];                    /* all bytes below have come */
  struct wt__crypto_pieces *pieces[WT__CRYPTO_LEVELS]; /* what has come ahead of it; NULL: nothing */
  int error;                                           /* of ngtcp2: the connection is to end with it */
};

/* What is kept counts in `gauge`. */
void wt__crypto_in_init(struct wt__crypto_in *in, struct wt__gauge *gauge);
void wt__crypto_in_free(struct wt__crypto_in *in);

/* A CRYPTO frame came; it may be a repetition. `ahead`: one of WT__CRYPTO_AHEAD. Sets `in->error` beyond a bound. */
void wt__crypto_in_frame(struct wt__crypto_in *in, unsigned level, uint64_t offset, size_t len, uint64_t ahead);
/* An opened packet with a long header came, of which `header` is the beginning. */
void wt__crypto_in_packet(struct wt__crypto_in *in, const uint8_t *header, size_t header_len, const uint8_t *payload,
                          size_t len, uint64_t ahead);

#endif
