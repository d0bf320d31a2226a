/* SPDX-License-Identifier: MIT */

/*
 * A client whose NAT gives it one port after another.
 *
 * When only the port changes, ngtcp2 keeps the congestion state, as RFC 9000, section 9.4, allows: most likely the path is
 * the same. But what was sent to the old port is lost, and a full window lets no PATH_CHALLENGE out. The window
 * opens when a probe timeout gets an acknowledgement. That timeout doubles each time, and stops at the limit of three
 * times what was received. If ports change faster than a round trip, the connection stands still for seconds after they
 * have come to rest, or for good, although the client asks.
 *
 *   validated --another port, window full--> not validated,  --another port--> likewise
 *       ^                                    new state             |
 *       +----------------- PATH_RESPONSE ----+---------------------+
 *
 * In these cases the congestion state has to begin anew, as where more than the port changes. ngtcp2 has no call for it,
 * but does it if the IP address differs. So it is told an alias of the peer's address, all of whose bits are inverted,
 * until the address is validated. Packets to the alias go to the address. Once it is validated, the path that ngtcp2 has
 * gets its true address. So ngtcp2 has one alias at most: that of the path it is validating, never that of the path to
 * which it would return.
 *
 * A client that changes its port itself uses another connection id, and its paths are left alone.
 *
 * When we ask a client to use other connection ids (cid_issue.c), and its port changes at that moment, ngtcp2 (1.11) would
 * take it for a migration of the client, because the id is new. It then begins to use another id of the client, too. If it is
 * still validating the path before, as it does for seconds after a change, it retires the client's id that it keeps for going
 * back: the client's next ids are too many (CONNECTION_ID_LIMIT_ERROR), or packets go out with an id that the client has
 * dropped. So ngtcp2 gets the first packet with the new id as if it came on the present path. The next one shows the new
 * path, and its id is not new any more.
 *
 * This gives a client no more than another IP address does: an initial window, and three times what it has sent until it
 * proves its address.
 */

#include "quic/rebinding.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "quic/conn.h"
#include "quic/endpoint.h"
#include "quic/path.h"
#include "quic/peer_address.h"

/* The IP address; its length in `*len`. */
static uint8_t *address_ip(ngtcp2_sockaddr *address, size_t *len) {
  if (address->sa_family == AF_INET) {
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)address;
    *len = sizeof(in->sin_addr);
    return (uint8_t *)&in->sin_addr;
  }
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)address;
  *len = sizeof(in6->sin6_addr);
  return (uint8_t *)&in6->sin6_addr;
}

static void address_invert(ngtcp2_sockaddr *address) {
  size_t len;
  uint8_t *ip = address_ip(address, &len);
  for (size_t i = 0; i < len; i++) ip[i] ^= 0xff;
}

static bool address_equal(const ngtcp2_addr *a, const ngtcp2_addr *b) {
  return a->addrlen == b->addrlen && !memcmp(a->addr, b->addr, a->addrlen);
}

static bool address_same_ip(const ngtcp2_addr *a, const ngtcp2_addr *b) {
  size_t len;
  if (a->addr->sa_family != b->addr->sa_family) return false;
  const uint8_t *ip = address_ip(a->addr, &len);
  return !memcmp(ip, address_ip(b->addr, &len), len);
}

/* Whether the packet bears the connection id that the client has used before. */
static bool packet_keeps_id(const struct wt__conn *conn, const uint8_t *data, size_t len) {
  const ngtcp2_cid *last = &conn->reset_in.dcid;
  return last->datalen && len > last->datalen && !(data[0] & 0x80) && !memcmp(data + 1, last->data, last->datalen);
}

/* Whether ngtcp2 is to see another IP address. */
static bool conn_wants_alias(const struct wt__conn *conn, const ngtcp2_addr *current, const ngtcp2_addr *remote) {
  return address_same_ip(current, remote) && ngtcp2_conn_get_cwnd_left(conn->quic) == 0 &&
         (conn->path_unvalidated || !address_equal(current, remote));
}

/* Whether the client follows our request to use other ids, and its address has changed since its last packet. */
static bool packet_moves_id(const struct wt__conn *conn, const ngtcp2_addr *current, const ngtcp2_addr *remote,
                            const uint8_t *data, size_t len) {
  return conn->cid_issue.retire_prior_to && !address_equal(current, remote) && len && !(data[0] & 0x80) &&
         !packet_keeps_id(conn, data, len);
}

void wt__rebinding_begin(struct wt__conn *conn, struct wt__rebinding *read, ngtcp2_path *path, const uint8_t *data,
                         size_t len) {
  const ngtcp2_addr *current = &ngtcp2_conn_get_path(conn->quic)->remote;
  read->aliased = false;
  read->watched =
      !conn->client && conn->handshake_done && (conn->path_unvalidated || !address_equal(current, &path->remote));
  if (!read->watched || path->remote.addrlen > sizeof(read->remote)) return;
  conn->rebinding = read;
  wt__peer_address_keep(&read->before, current);
  if (packet_moves_id(conn, current, &path->remote, data, len)) {
    memcpy(&read->remote, current->addr, current->addrlen);
    path->remote = (ngtcp2_addr){(ngtcp2_sockaddr *)(void *)&read->remote, current->addrlen};
    read->aliased = wt__peer_address_is(&conn->alias, current);
    return;
  }
  bool aliased = wt__peer_address_is(&conn->alias, current),
       wanted = !aliased && conn_wants_alias(conn, current, &path->remote);
  if (!aliased && (!wanted || !packet_keeps_id(conn, data, len))) return;
  memcpy(&read->remote, path->remote.addr, path->remote.addrlen);
  ngtcp2_addr alias = {(ngtcp2_sockaddr *)(void *)&read->remote, path->remote.addrlen};
  address_invert(alias.addr);
  if (aliased && !address_equal(current, &alias)) return; /* yet another address */
  wt__peer_address_keep(&conn->alias, &alias);
  path->remote.addr = alias.addr;
  read->aliased = true;
}

void wt__rebinding_end(struct wt__conn *conn, const struct wt__rebinding *read) {
  conn->rebinding = NULL;
  if (!read->watched) return;
  const ngtcp2_addr *current = &ngtcp2_conn_get_path(conn->quic)->remote;
  if (!wt__peer_address_is(&conn->alias, current)) conn->alias.len = 0;
  if (wt__peer_address_is(&read->before, current)) return;
  if (!conn->path_unvalidated) conn->validated_address = read->before;
  conn->path_unvalidated = !wt__peer_address_is(&conn->validated_address, current);
}

void wt__rebinding_judged(struct wt__conn *conn) {
  const ngtcp2_addr *current = &ngtcp2_conn_get_path(conn->quic)->remote;
  struct wt__rebinding *read = conn->rebinding;
  conn->path_unvalidated = false;
  if (wt__peer_address_is(&conn->alias, current)) address_invert(current->addr); /* the path's own copy */
  conn->alias.len = 0;
  if (!read) return;
  wt__peer_address_keep(&read->before, current);
  if (read->aliased)
    address_invert((ngtcp2_sockaddr *)(void *)&read->remote); /* else it would be another path, again */
}

void wt__rebinding_resolve(const struct wt__conn *conn, ngtcp2_addr *remote) {
  if (wt__peer_address_is(&conn->alias, remote)) address_invert(remote->addr);
}

void wt__conn_path(const struct wt__conn *conn, struct wt__path *path) {
  wt__path_from_quic(path, ngtcp2_conn_get_path(conn->quic));
  ngtcp2_addr remote = {(ngtcp2_sockaddr *)(void *)&path->remote, path->remote_len};
  wt__rebinding_resolve(conn, &remote);
}

const char *wt__conn_peer_text(const struct wt__conn *conn, char *text, size_t size) {
  struct wt__path path;
  (void)snprintf(text, size, "?");
  if (!conn->quic) return text;
  wt__conn_path(conn, &path);
  return wt__conn_address_text(&path.remote, text, size);
}
