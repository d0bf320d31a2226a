/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_BATCH_H
#define WT_QUIC_BATCH_H

/* Packets on their way to the socket, gathered so that one system call sends many. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/endpoint.h"

#define WT__BATCH_MAX_PACKETS 64 /* UDP_MAX_SEGMENTS of the kernel's GSO */
#define WT__BATCH_PACKET_ROOM 1500

/* Packets that one call of `send` takes: the same path and ECN mark, all of `segment` bytes but the last. */
struct wt__batch_run {
  struct wt__path path;
  unsigned ecn;
  size_t len, segment, count;
};

struct wt__batch {
  wt__endpoint_send send;
  void *send_ctx;
  struct wt__endpoint_stats *stats;
  bool blocked;   /* the socket was full; nothing may be added until `wt__batch_flush` returned 0 */
  size_t refused; /* packets of this size were lost, since the socket says they are too large; 0: none */
  bool closed;    /* its last packet is shorter: nothing can follow */
  struct wt__batch_run run, next; /* `next`: a packet behind `run` that does not fit into it; len 0: none */
  uint8_t data[WT__MAX_BATCH + WT__BATCH_PACKET_ROOM];
};

/* Where to write the next packet, WT__BATCH_PACKET_ROOM bytes. Not while blocked. */
uint8_t *wt__batch_room(struct wt__batch *batch);

/* A packet of `len` bytes was written there. Sends what has to go first. WT_ERR_AGAIN: the packet is kept,
 * and the batch is blocked now. `path`: NULL is where the packet before went. */
int wt__batch_add(struct wt__batch *batch, const struct wt__path *path, unsigned ecn, size_t len);

/* Sends what is held. WT_ERR_AGAIN: some is still held. */
int wt__batch_flush(struct wt__batch *batch);

#endif
