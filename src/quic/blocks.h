/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_BLOCKS_H
#define WT_QUIC_BLOCKS_H

/* The memory that ngtcp2 has for one connection, so that none of it outlives the connection. See blocks.c. */

#include <ngtcp2/ngtcp2.h>

#include "base/gauge.h"
#include "base/list.h"

struct wt__blocks {
  ngtcp2_mem mem; /* for ngtcp2, which keeps the pointer */
  struct wt__list list;
  struct wt__gauge *gauge;
};

/* What is allocated counts in `gauge`. */
void wt__blocks_init(struct wt__blocks *blocks, struct wt__gauge *gauge);
/* Frees what is left; ngtcp2's connection is gone. */
void wt__blocks_free(struct wt__blocks *blocks);

#endif
