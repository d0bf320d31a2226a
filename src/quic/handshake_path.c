/* SPDX-License-Identifier: MIT */

/*
 * A client's address that changes inside the handshake.
 *
 * QUIC relies on a stable address until the handshake is confirmed (RFC 9000, section 9), and ngtcp2 drops packets from another
 * one at a server. But a NAT does not know of handshakes. The client repeats its packets, nobody hears them, and the
 * attempt ends after the handshake's timeout.
 *
 *   client at A --Initial-->  server --ServerHello, ...--> A, lost
 *   client at B --Initial-->  server: shown to ngtcp2 as one from A; what ngtcp2 sends to A goes to B
 *        ... the handshake is done: packets from B are shown as they are, and ngtcp2 validates B as after any change
 *
 * So ngtcp2 knows one address all along. The latest one from which a packet has come that could be decrypted is where
 * answers go. Nobody but the client and those who see its packets can make one. An address that stands in for another is not
 * validated, whatever ngtcp2 thinks, so no more is sent to it than three times what has come from it (section 8.1). That holds
 * until ngtcp2 leaves the first address.
 */

#include "quic/handshake_path.h"

#include <string.h>

#include "quic/conn.h"
#include "quic/peer_address.h"

#define AMPLIFICATION 3

void wt__handshake_path_begin(struct wt__conn *conn, struct wt__handshake_read *read, ngtcp2_path *path, size_t len) {
  struct wt__handshake_path *own = &conn->handshake_path;
  read->watched = !conn->client && (!conn->handshake_done || own->now_at.len);
  if (!read->watched) return;
  const ngtcp2_addr *known = &ngtcp2_conn_get_path(conn->quic)->remote;
  read->len = len;
  read->handshake_done = conn->handshake_done;
  own->opened = false;
  wt__peer_address_keep(&read->from, &path->remote);
  read->first = wt__peer_address_is(&read->from, known);
  if (read->first || conn->handshake_done || known->addrlen != path->remote.addrlen || !read->from.len) return;
  memcpy(&read->shown, known->addr, known->addrlen);
  path->remote.addr = (ngtcp2_sockaddr *)(void *)&read->shown;
}

void wt__handshake_path_end(struct wt__conn *conn, const struct wt__handshake_read *read) {
  struct wt__handshake_path *own = &conn->handshake_path;
  if (!read->watched) return;
  const ngtcp2_addr *known = &ngtcp2_conn_get_path(conn->quic)->remote;
  if (read->handshake_done) { /* ngtcp2 judges by itself */
    if (read->first || !wt__peer_address_is(&own->known_at, known)) own->now_at.len = 0;
    return;
  }
  if (!own->opened) return;
  if (read->first) {
    own->now_at.len = 0;
    return;
  }
  if (own->now_at.len != read->from.len || memcmp(own->now_at.bytes, read->from.bytes, read->from.len) != 0) {
    own->now_at = read->from;
    own->received = own->sent = 0;
  }
  wt__peer_address_keep(&own->known_at, known);
  own->received += read->len;
}

size_t wt__handshake_path_room(const struct wt__conn *conn, size_t room) {
  const struct wt__handshake_path *own = &conn->handshake_path;
  uint64_t allowed = AMPLIFICATION * own->received, left = allowed > own->sent ? allowed - own->sent : 0;
  return own->now_at.len && left < room ? (size_t)left : room;
}

void wt__handshake_path_resolve(struct wt__conn *conn, ngtcp2_addr *remote, size_t len) {
  struct wt__handshake_path *own = &conn->handshake_path;
  if (!own->now_at.len || !wt__peer_address_is(&own->known_at, remote)) return;
  memcpy(remote->addr, own->now_at.bytes, own->now_at.len);
  own->sent += len;
}
