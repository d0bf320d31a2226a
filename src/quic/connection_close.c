/* SPDX-License-Identifier: MIT */

/*
 * The CONNECTION_CLOSE frame (RFC 9000, sections 10.2 and 19.19): which one ends a connection, with which code, and
 * its packet.
 *
 *   asked for, by the application or h3     the noted code and reason
 *   an error of ngtcp2 or TLS               the code that RFC 9000 has for it
 *   a half-open connection that gives way   CONNECTION_REFUSED
 *   the peer's came, idle, dropped          none
 */

#include "quic/connection_close.h"

#include <ngtcp2/ngtcp2.h>
#include <string.h>

#include "quic/answers.h"
#include "quic/batch.h"
#include "quic/client.h"
#include "quic/closing.h"
#include "quic/conn.h"
#include "quic/current.h"
#include "quic/ending.h"
#include "quic/endpoint_state.h"
#include "quic/handshake_path.h"
#include "quic/path.h"
#include "quic/rebinding.h"

/* A CONNECTION_CLOSE, as a packet of `*path`. Its length; 0 or less: there is none. */
static ngtcp2_ssize conn_write_close(struct wt__conn *conn, const ngtcp2_ccerr *error, struct wt__path *path,
                                     uint8_t packet[static WT__BATCH_PACKET_ROOM]) {
  ngtcp2_path_storage storage;
  ngtcp2_pkt_info info = {0};
  ngtcp2_path_storage_zero(&storage);
  wt__conn_set_current(conn);
  ngtcp2_ssize len = ngtcp2_conn_write_connection_close(conn->quic, &storage.path, &info, packet,
                                                        wt__handshake_path_room(conn, WT__BATCH_PACKET_ROOM), error,
                                                        conn->endpoint->now);
  wt__conn_set_current(NULL);
  if (len > 0) wt__handshake_path_resolve(conn, &storage.path.remote, (size_t)len);
  wt__rebinding_resolve(conn, &storage.path.remote);
  if (len > 0) wt__path_from_quic(path, &storage.path);
  return len;
}

void wt__conn_give_way(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  uint8_t packet[WT__BATCH_PACKET_ROOM];
  struct wt__path path;
  ngtcp2_ccerr error;
  endpoint->stats.handshakes_evicted++;
  ngtcp2_ccerr_set_transport_error(&error, NGTCP2_CONNECTION_REFUSED, NULL, 0);
  ngtcp2_ssize len = conn->half_open.validated ? conn_write_close(conn, &error, &path, packet) : 0;
  if (len > 0) wt__endpoint_send_packet(endpoint, &path, packet, (size_t)len);
  wt__conn_free(conn, WT_TRANSPORT, NGTCP2_CONNECTION_REFUSED);
}

/* Sends a CONNECTION_CLOSE. It may be gone afterwards. */
static void conn_send_close(struct wt__conn *conn, const ngtcp2_ccerr *error, enum wt_party party) {
  struct wt__path path;
  uint8_t packet[WT__BATCH_PACKET_ROOM];
  ngtcp2_ssize len = conn_write_close(conn, error, &path, packet);
  uint64_t code = error->error_code;
  if (len <= 0) {
    wt__conn_free(conn, party, code);
    return;
  }
  wt__conn_enter_closing(conn, &path, packet, (size_t)len, party, code);
}

static void conn_end_as_wanted(struct wt__conn *conn) {
  if (conn->client) wt__conn_client_explain(conn, 0);
  wt__conn_ending_of_close(conn, &conn->ending);
  conn->has_ending = true;
}

void wt__conn_close_now(struct wt__conn *conn) {
  ngtcp2_ccerr error;
  conn_end_as_wanted(conn);
  ngtcp2_ccerr_default(&error);
  ngtcp2_ccerr_set_application_error(&error, conn->close_code, (const uint8_t *)conn->close_reason,
                                     conn->close_reason ? strlen(conn->close_reason) : 0);
  conn_send_close(conn, &error, conn->close_party);
}

static void conn_end_as(struct wt__conn *conn, int error, const ngtcp2_ccerr *sent) {
  if (conn->client) wt__conn_client_explain(conn, error);
  wt__conn_ending_of(conn, error, sent, &conn->ending);
  conn->has_ending = true;
}

/* Without a packet. If this end wanted to close the connection anyway, that is the reason; unless it was for a path without
 * an answer, which `error` says as well. */
static void conn_end_silently(struct wt__conn *conn, int error) {
  if (conn->close_wanted && !conn->path_dead) {
    conn_end_as_wanted(conn);
    wt__conn_free(conn, conn->close_party, conn->close_code);
  } else {
    conn_end_as(conn, error, NULL);
    wt__conn_free(conn, WT_TRANSPORT, NGTCP2_NO_ERROR);
  }
}

void wt__conn_fail(struct wt__conn *conn, int error) {
  ngtcp2_ccerr ccerr;
  switch (error) {
    case NGTCP2_ERR_DRAINING:
      conn_end_as(conn, error, NULL);
      wt__conn_enter_draining(conn);
      return;
    case NGTCP2_ERR_CLOSING:
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_IDLE_CLOSE:
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT: conn_end_silently(conn, error); return;
    default: break;
  }
  if (conn->close_wanted) {
    wt__conn_close_now(conn);
    return;
  }
  ngtcp2_ccerr_default(&ccerr);
  if (error == NGTCP2_ERR_CRYPTO) {
    ngtcp2_ccerr_set_tls_alert(&ccerr, ngtcp2_conn_get_tls_alert(conn->quic), NULL, 0);
  } else {
    ngtcp2_ccerr_set_liberr(&ccerr, error, NULL, 0);
  }
  conn_end_as(conn, error, &ccerr);
  conn_send_close(conn, &ccerr, WT_TRANSPORT);
}
