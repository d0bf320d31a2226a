/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CANARY_PAIR_H
#define WT_QUIC_CANARY_PAIR_H

/*
 * A client's and a server's connection of ngtcp2 in memory, without TLS: keys are none and packets are in the clear. For
 * canary.c, which tries on them what this library relies on.
 */

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/quic_frame.h"

#define WT__CANARY_TAG 16  /* bytes that stand for the one of AEAD */
#define WT__CANARY_CID 8   /* the length of connection ids */
#define WT__CANARY_LIMIT 2 /* ids that the client keeps */

struct wt__canary_end {
  struct wt__canary_pair *pair;
  ngtcp2_conn *quic;
  bool server;

  /* What is done with the payloads of its packets. */
  bool unwraps;             /* carriers that it sends */
  uint64_t retire_prior_to; /* for ids that it sends; 0: left alone */

  /* What it has seen. */
  unsigned resets, opened, ids_made, ids_retired;
  uint64_t received;              /* bytes of streams */
  struct wt__quic_frame reset_at; /* the last RESET_STREAM_AT */
};

struct wt__canary_pair {
  struct wt__canary_end client, server;
  ngtcp2_path_storage path;
  uint64_t now;
  bool failed; /* ngtcp2 returned an error where it must not */
};

/* Brings both to the end of the handshake. False: that failed, and nothing can be tried. Free it in any case. */
bool wt__canary_pair_begin(struct wt__canary_pair *pair);
void wt__canary_pair_free(struct wt__canary_pair *pair);

/* Moves what one end has to send. `failed` is set by what goes wrong. */
void wt__canary_flush(struct wt__canary_end *end);
/* Moves packets until both are silent. */
void wt__canary_pair_run(struct wt__canary_pair *pair);
/* Likewise after so much time that acknowledgements are due. */
void wt__canary_pair_rest(struct wt__canary_pair *pair);
/* Gives a packet to an end. Returns what ngtcp2 says. */
int wt__canary_read(struct wt__canary_end *end, const uint8_t *packet, size_t len);
/* `end` sends a byte on stream `id`, or a datagram; the other gets the packet. */
void wt__canary_send_byte(struct wt__canary_end *end, int64_t id);
void wt__canary_send_datagram(struct wt__canary_end *end, const uint8_t *data, size_t len);

#endif
