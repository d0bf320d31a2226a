/* SPDX-License-Identifier: MIT */

/*
 * Packets that belong to no connection.
 *
 *   long header, unknown version          Version Negotiation (RFC 9000, section 6)
 *   Initial                               a new connection, Retry, or a refusal (admit.c)
 *   short header                          stateless reset (section 10.3): the sender's connection is
 *                                         gone, most likely because this server was restarted
 *   anything else                         nothing: late packets of connections that have ended
 *
 * Nothing but a new connection takes memory. The other answers are in answers.c.
 */

#include "quic/accept.h"

#include <ngtcp2/ngtcp2_crypto.h>
#include <string.h>

#include "base/log_limit.h"
#include "quic/admit.h"
#include "quic/answers.h"
#include "quic/conn.h"
#include "quic/endpoint_keys.h"
#include "quic/endpoint_state.h"
#include "quic/path.h"
#include "quic/recv.h"
#include "quic/server.h"
#include "quic/shared.h"
#include "quic/token.h"

/* --- First packets --- */

static struct wt__token_address path_client(const struct wt__path *path) {
  return (struct wt__token_address){(const struct sockaddr *)&path->remote, path->remote_len};
}

/* The connection for an Initial packet, or NULL once it was answered otherwise. */
static struct wt__conn *endpoint_accept(struct wt__endpoint *endpoint, const struct wt__path *path,
                                        const ngtcp2_pkt_hd *hd, struct wt__admission *admission) {
  struct wt__accept accept = {.hd = hd, .path = path, .odcid = hd->dcid, .turnover = wt__endpoint_turnover(endpoint)};
  accept.verdict = wt__endpoint_verify_token(endpoint, path_client(path), hd, &accept.odcid);
  if (accept.verdict == WT__TOKEN_BAD) {
    wt__endpoint_send_refusal(endpoint, path, hd, NGTCP2_INVALID_TOKEN);
    return NULL;
  }
  bool validated = accept.verdict == WT__TOKEN_RETRY || accept.verdict == WT__TOKEN_REGULAR;
  switch (wt__endpoint_admit(endpoint, path, validated, admission)) {
    case WT__ADMIT_RETRY: wt__endpoint_send_retry(endpoint, path, hd); return NULL;
    case WT__ADMIT_NOT: wt__endpoint_send_refusal(endpoint, path, hd, NGTCP2_CONNECTION_REFUSED); return NULL;
    case WT__ADMIT_NOW: break;
  }
  struct wt__conn *conn;
  if (admission->gives_way || admission->owes) {
    wt__shared_begin_beyond(endpoint->shared);
  } else if (!wt__shared_begin(endpoint->shared, endpoint->config.max_connections)) { /* another worker was faster */
    wt__endpoint_send_refusal(endpoint, path, hd, NGTCP2_CONNECTION_REFUSED);
    return NULL;
  }
  int error = wt__conn_new(&conn, endpoint, &accept);
  if (!error) return conn;
  wt__shared_end(endpoint->shared, false);
  char peer[WT__PEER_TEXT_MAX];
  WT__WARN_LIMITED(endpoint->config.log, &endpoint->admit_lines, endpoint->now,
                   WT__EVENT_OF("connection_refused",
                                WT__TEXT("peer", wt__conn_address_text(&path->remote, peer, sizeof(peer))),
                                WT__TEXT("reason", wt_error_string(error))),
                   "a connection was refused: %s", wt_error_string(error));
  wt__endpoint_send_refusal(endpoint, path, hd, NGTCP2_CONNECTION_REFUSED);
  return NULL;
}

void wt__endpoint_recv_unknown(struct wt__endpoint *endpoint, const struct wt__path *path, unsigned ecn,
                               const uint8_t *data, size_t len) {
  if (!(data[0] & 0x80)) {
    wt__endpoint_send_reset(endpoint, path, data, len);
    return;
  }
  ngtcp2_pkt_hd hd;
  if (ngtcp2_accept(&hd, data, len)) return;
  /* An unvalidated token lets ngtcp2 accept ids of any length; shorter ones are not allowed first. */
  if (hd.dcid.datalen < NGTCP2_MIN_INITIAL_DCIDLEN) return;
  if (wt__endpoint_drops_initial(endpoint, path, hd.tokenlen > 0)) return;
  struct wt__admission admission;
  struct wt__conn *conn = endpoint_accept(endpoint, path, &hd, &admission);
  if (!conn) return;
  size_t half_open = endpoint->half_open.count;
  wt__conn_recv(conn, path, ecn, data, len);
  /* A packet that was no Initial after all has ended it again: nobody gives way for that. */
  if (endpoint->half_open.count == half_open) wt__endpoint_make_room(endpoint, &admission);
}
