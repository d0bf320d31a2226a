/* SPDX-License-Identifier: MIT */

/*
 * The end of connections that nobody uses, at a server that waits for its connections to end, because another process has
 * taken over.
 *
 * A client keeps a connection for its next request. That request should go to the new process, so the client has to be
 * told: GOAWAY (RFC 9114, section 5.2). But a request may be on its way, above all right after the handshake. So a
 * connection has to be idle for a second round before it gets GOAWAY, and the client has two more to close it:
 *
 *     round 1    idle: a note is made
 *     round 2    still idle: GOAWAY; a request that crosses it is refused in a way that lets the client try it again
 *     round 4    still there: closed with H3_NO_ERROR
 *
 * A connection with a request or session begins again with round 1 when that has ended. Handshakes are left alone.
 */

#include "base/list.h"
#include "h3/conn.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/wake.h"
#include "wire/error_code.h"

#define GOAWAY_ROUND 2
#define CLOSE_ROUND 4

static void conn_retire(struct wt__conn *conn) {
  if (!conn->h3 || conn->close_wanted) return;
  if (!wt__h3_conn_is_idle(conn->h3)) {
    conn->idle_rounds = 0;
    return;
  }
  conn->idle_rounds++;
  if (conn->idle_rounds == GOAWAY_ROUND) wt__h3_conn_shutdown(conn->h3);
  if (conn->idle_rounds == CLOSE_ROUND) wt__conn_want_close(conn, WT_LOCAL, WT__H3_NO_ERROR, "");
  if (conn->idle_rounds == GOAWAY_ROUND || conn->idle_rounds == CLOSE_ROUND) wt__conn_wake(conn);
}

void wt__endpoint_retire(struct wt__endpoint *endpoint, uint64_t now) {
  if (endpoint->busy) return;
  endpoint->now = now;
  endpoint->busy = true;
  WT__LIST_FOREACH(link, next, &endpoint->conns) { conn_retire(WT__CONTAINER_OF(link, struct wt__conn, link)); }
  endpoint->busy = false;
}

void wt__endpoint_refuse(struct wt__endpoint *endpoint, bool on) {
  endpoint->refusing = on;
  if (!on) endpoint->shutting_down = false; /* connections that have got GOAWAY end all the same */
}
