/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_REBINDING_H
#define WT_QUIC_REBINDING_H

/* A client whose NAT gives it one port after another. See rebinding.c. */

#include <netinet/in.h>
#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/peer_address.h"

struct wt__conn;
struct wt__path;

struct wt__rebinding {
  bool watched, aliased;
  struct wt__peer_address before;
  struct sockaddr_in6 remote;
};
/* Called before and after ngtcp2 reads a packet that came on `*path`. `begin` may change `*path` to the one that ngtcp2
 * shall see. */
void wt__rebinding_begin(struct wt__conn *conn, struct wt__rebinding *read, ngtcp2_path *path, const uint8_t *data,
                         size_t len);
void wt__rebinding_end(struct wt__conn *conn, const struct wt__rebinding *read);
/* The peer's new address is validated, or ngtcp2 has gone back to the last one that was. */
void wt__rebinding_judged(struct wt__conn *conn);
/* ngtcp2 sends to `*remote`: changes it to the address where packets have to go. */
void wt__rebinding_resolve(const struct wt__conn *conn, ngtcp2_addr *remote);
/* The path that is in use. */
void wt__conn_path(const struct wt__conn *conn, struct wt__path *path);
/* The same as text; "?" if the connection has no path any more. Returns `text`. */
const char *wt__conn_peer_text(const struct wt__conn *conn, char *text, size_t size);
/* The fields that each line of the log about a connection has. */
#define WT__CONNECTION(conn)            \
  WT__TEXT("connection", (conn)->name), \
      WT__TEXT("peer", wt__conn_peer_text((conn), (char[WT__PEER_TEXT_MAX]){""}, WT__PEER_TEXT_MAX))

#endif
