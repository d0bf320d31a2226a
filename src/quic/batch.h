/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_BATCH_H
#define WT_QUIC_BATCH_H

/* Packets on their way to the socket, of one connection or several, gathered so that one system call sends many. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/endpoint.h"

#define WT__BATCH_MAX_PACKETS 64 /* of a run: UDP_MAX_SEGMENTS of the kernel's GSO */
#define WT__BATCH_PACKET_ROOM 1500
#define WT__BATCH_SHARED_MAX 16384 /* bytes that wait for the packets of other connections */

struct wt__batch {
  wt__endpoint_send send;
  wt__endpoint_send_runs send_runs; /* NULL: there is only `send` */
  void *send_ctx;
  /* Packets of `size` bytes of this connection were lost, since the socket says they are too large. NULL: not told. */
  void (*on_refused)(struct wt__conn *conn, size_t size);
  struct wt__endpoint_stats *stats;
  bool blocked; /* the socket was full; nothing may be added until `wt__batch_flush` returned 0 */
  bool closed;  /* the next packet begins a run */
  struct wt__conn *conn;
  const struct wt__path *path;
  size_t len;          /* of `data` */
  size_t first, count; /* runs before `first` have left */
  struct wt__packet_run runs[WT__MAX_RUNS];
  uint8_t data[WT__BATCH_SHARED_MAX + WT__MAX_BATCH + WT__BATCH_PACKET_ROOM];
};

/* The packets that follow are `conn`'s and go there. `path` is borrowed until its last packet is added. */
void wt__batch_set_path(struct wt__batch *batch, struct wt__conn *conn, const struct wt__path *path);

/* Where to write the next packet, WT__BATCH_PACKET_ROOM bytes. Not while blocked. */
uint8_t *wt__batch_room(struct wt__batch *batch);

/* A packet of `len` bytes was written there. Sends all when there is no room for another one. WT_ERR_AGAIN: the packet is
 * kept, and the batch is blocked now. */
int wt__batch_add(struct wt__batch *batch, unsigned ecn, size_t len);

/* The connection has no more packets. Few wait for those of other connections, until `wt__batch_flush`; many are sent.
 * WT_ERR_AGAIN: some are still held. */
int wt__batch_end(struct wt__batch *batch);

/* Sends what is held. WT_ERR_AGAIN: some is still held. */
int wt__batch_flush(struct wt__batch *batch);

/* The connection goes away. Its packets stay. */
void wt__batch_forget(struct wt__batch *batch, const struct wt__conn *conn);

#endif
