/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_READ_LIMIT_H
#define WT_QUIC_READ_LIMIT_H

/* The bound on the memory that ngtcp2 takes while it reads the packets of a peer. See read_limit.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wt__conn;

#define WT__READ_HANDSHAKE (128 * 1024) /* until the handshake is done: CRYPTO data out of order, 64 KiB at most */
#define WT__READ_BASE (1024 * 1024)
#define WT__READ_STREAM (12 * 1024) /* of a stream that is open */
#define WT__READ_STREAM_RECORD 512  /* of the most streams that were open: ngtcp2 keeps their records for the next */

/* What it depends on. */
struct wt__read_use {
  bool handshake_done;
  size_t streams, most_streams; /* open now; open at a time so far */
  uint64_t window;              /* bytes that the peer may send beyond what was read */
};

/* In bytes. */
size_t wt__read_limit(const struct wt__read_use *use);

/* Asks for the connection to be closed if its peer's packets take too much memory. */
void wt__conn_check_read(struct wt__conn *conn);

#endif
