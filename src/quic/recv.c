/* SPDX-License-Identifier: MIT */

/*
 * A packet's way through a connection: ngtcp2 reads it, its callbacks pass on what it holds, and what they have noted
 * is done once ngtcp2 has returned.
 *
 * HTTP/3 begins as soon as 1-RTT packets can be written, which is with the server's first flight and half a round
 * trip before the handshake is done: the SETTINGS are then already there when the client's first request is made.
 * Nothing of the client's can reach HTTP/3 before the handshake is done.
 */

#include "quic/recv.h"

#include <ngtcp2/ngtcp2.h>

#include "base/log.h"
#include "h3/conn.h"
#include "quic/ack_wait.h"
#include "quic/answers.h"
#include "quic/budget.h"
#include "quic/callbacks.h"
#include "quic/client.h"
#include "quic/closing.h"
#include "quic/conn.h"
#include "quic/connection_close.h"
#include "quic/current.h"
#include "quic/endpoint_state.h"
#include "quic/handshake_path.h"
#include "quic/pacing.h"
#include "quic/path.h"
#include "quic/pressure.h"
#include "quic/read_limit.h"
#include "quic/rebinding.h"
#include "quic/reset_at.h"
#include "quic/stops.h"
#include "quic/tls.h"
#include "quic/transport.h"
#include "quic/wake.h"

static int conn_start_h3(struct wt__conn *conn, const struct wt__path *path) {
  struct wt__endpoint *endpoint = conn->endpoint;
  char peer[WT__PEER_TEXT_MAX];
  wt__conn_address_text(&path->remote, peer, sizeof(peer));
  int error = wt__h3_conn_new(&conn->h3, &endpoint->config.h3, &wt__quic_transport, conn, peer, endpoint->now);
  if (error) return NGTCP2_ERR_NOMEM;
  WT__DEBUG(endpoint->config.log,
            WT__EVENT_OF("connection_ready", WT__TEXT("connection", conn->name), WT__TEXT("peer", peer)),
            "connection %s: from %s", conn->name, peer);
  const ngtcp2_transport_params *params = ngtcp2_conn_get_remote_transport_params(conn->quic);
  wt__h3_conn_start(conn->h3, params ? params->max_datagram_frame_size : 0);
  if (endpoint->shutting_down) wt__h3_conn_shutdown(conn->h3);
  return 0;
}

/* Once, and not with each packet: `tls` would be one more record that is in no cache. */
static void conn_settle(struct wt__conn *conn) {
  conn->tls_settled = wt__tls_server_release_session(conn->tls);
  wt__conn_set_uncounted(conn, WT__BUDGET_CONNECTION + wt__tls_peer_chain_size(conn->tls));
}

/* A server's ngtcp2 passes over what is wrong with an Initial packet, and gives up a connection that begins with it. */
static int conn_crypto_error(const struct wt__conn *conn, int error) {
  bool open = error == 0 || error == NGTCP2_ERR_RETRY || error == NGTCP2_ERR_DROP_CONN;
  return open && conn->crypto_in.error ? conn->crypto_in.error : error;
}

static int conn_read(struct wt__conn *conn, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                     size_t len) {
  ngtcp2_path quic_path;
  ngtcp2_pkt_info info = {.ecn = (uint8_t)(ecn & NGTCP2_ECN_MASK)};
  struct wt__handshake_read handshake;
  struct wt__rebinding rebinding;
  wt__path_to_quic(&quic_path, path);
  conn->stops_len = 0;
  wt__ack_wait_begin(conn);
  wt__handshake_path_begin(conn, &handshake, &quic_path, len);
  wt__rebinding_begin(conn, &rebinding, &quic_path, data, len);
  wt__conn_set_current(conn);
  conn->blocks.reading = true;
  int error = ngtcp2_conn_read_pkt(conn->quic, &quic_path, &info, data, len, conn->endpoint->now);
  conn->blocks.reading = false;
  wt__conn_set_current(NULL);
  wt__rebinding_end(conn, &rebinding);
  wt__handshake_path_end(conn, &handshake);
  wt__ack_wait_end(conn, path, ecn);
  wt__conn_deliver_acked(conn);
  return error;
}

void wt__conn_recv(struct wt__conn *conn, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len) {
  struct wt__endpoint *endpoint = conn->endpoint;
  if (conn->state == WT__CONN_CLOSING) wt__conn_answer_closing(conn);
  if (conn->state != WT__CONN_OPEN || wt__conn_refuses_packet(conn, len)) return;
  conn->packets_received++;
  conn->bytes_received += len;
  wt__conn_touch(conn);
  if (conn->client) wt__conn_client_release_resumption(conn);
  if (!conn->handshake_done) conn->handshake_quiet_since = endpoint->now;
  ngtcp2_pkt_hd hd;
  int error = wt__pacing_catch_up(conn);
  if (!error) error = conn_read(conn, path, ecn, data, len);
  error = conn_crypto_error(conn, error);
  if (error == NGTCP2_ERR_RETRY) { /* the client's first bytes came in a way that asks for a proof of its address */
    if (!ngtcp2_accept(&hd, data, len)) wt__endpoint_send_retry(endpoint, path, &hd);
    wt__conn_free(conn, WT_TRANSPORT, NGTCP2_NO_ERROR);
    return;
  }
  if (!error && conn->can_start && !conn->h3) error = conn_start_h3(conn, path);
  if (!error) error = conn->reset_in.error;
  if (!error) {
    if (conn->handshake_done && !conn->client && !conn->tls_settled) conn_settle(conn);
    wt__stops_deliver(conn);
    wt__reset_at_recv_tell_finals(conn);
    error = wt__reset_at_recv_inject(conn);
  }
  if (error) {
    wt__conn_fail(conn, error);
    return;
  }
  wt__conn_check_read(conn);
  wt__conn_wake(conn);
}
