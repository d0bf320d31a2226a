/* SPDX-License-Identifier: MIT */

/*
 * What other files want of a connection, also inside ngtcp2's callbacks: that it is run, or closed. That is only noted here;
 * the connection's next run does it.
 */

#include "quic/wake.h"

#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "quic/client.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/half_open.h"
#include "quic/peers.h"
#include "quic/shared.h"

#define RELEASE_AFTER (2000 * WT__NS_PER_MS) /* without packets: what only those need is given back */

void wt__conn_leave_half_open(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  if (!conn->half_open.address) return;
  if (conn->half_open.validated) wt__shared_peer_remove(endpoint->shared, WT__PEERS_HANDSHAKES, conn->peer_key);
  wt__half_open_remove(&endpoint->half_open, &conn->half_open);
}

void wt__conn_touch(struct wt__conn *conn) { conn->release_at = conn->endpoint->now + RELEASE_AFTER; }

void wt__conn_want_close(struct wt__conn *conn, enum wt_party party, uint64_t code, const char *reason) {
  if (conn->close_wanted || conn->state != WT__CONN_OPEN) return;
  conn->close_wanted = true;
  conn->close_party = party;
  conn->close_code = code;
  conn->close_reason = wt__strndup(reason, strnlen(reason, WT__CONN_REASON_MAX));
  if (conn->client)
    wt__conn_client_release_resumption(conn); /* at once: the next attempt may begin before the packet is sent */
  wt__conn_wake(conn);
}

void wt__conn_wake(struct wt__conn *conn) {
  if (conn->state != WT__CONN_OPEN) return;
  if (conn->waiting) wt__list_remove(&conn->queue);
  conn->waiting = false;
  /* One that waits for its turn keeps its place: it might never have it else, if packets keep coming. */
  if (!wt__link_linked(&conn->queue)) wt__list_push_back(&conn->endpoint->ready, &conn->queue);
}
