/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CANARY_H
#define WT_QUIC_CANARY_H

/* Whether the ngtcp2 that this process runs with does what this library relies on beyond its documented API. */

#include <stdbool.h>

struct wt__log;

struct wt__canary {
  bool carriers;       /* a DATAGRAM frame of ours is in the clear when it is encrypted, and may become another frame */
  bool reset_at_in;    /* a packet of ours that ends with an unknown frame is applied and forgotten */
  bool connection_ids; /* the peer's limit on ids can be raised, and a frame has room for Retire Prior To */
};

/* Tries it, once in a process; some 0.2 ms. */
const struct wt__canary *wt__canary(void);
/* A line for each of them that does not hold: what is switched off, and for which version. */
void wt__canary_tell(const struct wt__log *log);

/* Tries it again. For tests. */
void wt__canary_try(struct wt__canary *canary);
/* What `wt__canary` returns from now on; NULL: what was found. For tests. */
void wt__canary_pretend(const struct wt__canary *canary);

#endif
