/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_HANDSHAKE_PATH_H
#define WT_QUIC_HANDSHAKE_PATH_H

/* A client whose address changes inside the handshake. See handshake_path.c. */

#include <netinet/in.h>
#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/peer_address.h"

struct wt__conn;

/* Used by a server until the handshake is done and ngtcp2 has left the client's first address. */
struct wt__handshake_path {
  struct wt__peer_address known_at; /* the address that ngtcp2 knows */
  struct wt__peer_address now_at;   /* the one that stands in for it; none: itself */
  uint64_t received, sent;          /* bytes from and to the latter */
  bool opened;                      /* a packet of the datagram being read could be decrypted */
};

struct wt__handshake_read {
  bool watched;
  bool first;          /* it comes from the address that ngtcp2 knows */
  bool handshake_done; /* the handshake was done before */
  size_t len;
  struct wt__peer_address from;
  struct sockaddr_in6 shown;
};
/* Called before and after ngtcp2 reads `len` bytes that came on `*path`. `begin` may change `*path` to the one that ngtcp2
 * shall see. */
void wt__handshake_path_begin(struct wt__conn *conn, struct wt__handshake_read *read, ngtcp2_path *path, size_t len);
void wt__handshake_path_end(struct wt__conn *conn, const struct wt__handshake_read *read);
/* How many of `room` bytes may be sent now. */
size_t wt__handshake_path_room(const struct wt__conn *conn, size_t room);
/* ngtcp2 sends `len` bytes to `*remote`: changes it to the address where they have to go, and counts them as sent. */
void wt__handshake_path_resolve(struct wt__conn *conn, ngtcp2_addr *remote, size_t len);

#endif
