/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_BLOCKS_H
#define WT_QUIC_BLOCKS_H

/* The memory that ngtcp2 has for one connection, so that none of it outlives the connection. See blocks.c. */

#include <ngtcp2/ngtcp2.h>

#include <stdbool.h>

#include "base/gauge.h"

struct wt__block;

struct wt__blocks {
  ngtcp2_mem mem; /* for ngtcp2, which keeps the pointer */
  struct wt__block *first;
  struct wt__gauge *gauge;
  bool reading; /* ngtcp2 reads packets of the peer: set by the caller */
  size_t read;  /* bytes of the blocks that were allocated meanwhile */
};

/* What is allocated counts in `gauge`. */
void wt__blocks_init(struct wt__blocks *blocks, struct wt__gauge *gauge);
/* Frees what is left; ngtcp2's connection is gone. */
void wt__blocks_free(struct wt__blocks *blocks);

#endif
