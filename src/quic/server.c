/* SPDX-License-Identifier: MIT */

/*
 * A server's connection, made for the client's first Initial packet that accept.c lets in.
 *
 * It answers to two connection ids: the one that the client chose, and one of ours. Until the handshake is done it is
 * one of the half-open connections (half_open.c), of which an address may have only a share.
 */

#include "quic/server.h"

#include <string.h>

#include "quic/callbacks.h"
#include "quic/cid.h"
#include "quic/cid_issue.h"
#include "quic/closing.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/half_open.h"
#include "quic/path.h"
#include "quic/peers.h"
#include "quic/shared.h"
#include "quic/tls.h"
#include "quic/transport_params.h"

static void server_settings(ngtcp2_settings *settings, struct wt__conn *conn, const struct wt__accept *accept) {
  wt__conn_settings(settings, conn);
  if (accept->verdict == WT__TOKEN_RETRY || accept->verdict == WT__TOKEN_REGULAR) {
    settings->token = accept->hd->token;
    settings->tokenlen = accept->hd->tokenlen;
    settings->token_type = accept->verdict == WT__TOKEN_RETRY ? NGTCP2_TOKEN_TYPE_RETRY : NGTCP2_TOKEN_TYPE_NEW_TOKEN;
  }
}

static void server_params(ngtcp2_transport_params *params, const struct wt__endpoint *endpoint,
                          const struct wt__accept *accept, const uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN]) {
  wt__conn_params(params, endpoint);
  params->original_dcid = accept->odcid;
  params->original_dcid_present = 1;
  if (accept->verdict == WT__TOKEN_RETRY) {
    params->retry_scid = accept->hd->dcid;
    params->retry_scid_present = 1;
  }
  params->stateless_reset_token_present = 1;
  params->disable_active_migration = endpoint->ids.scheme.layout == WT_CONNECTION_ID_UNROUTABLE;
  memcpy(params->stateless_reset_token, token, NGTCP2_STATELESS_RESET_TOKENLEN);
}

static int server_init_quic(struct wt__conn *conn, const struct wt__accept *accept) {
  struct wt__endpoint *endpoint = conn->endpoint;
  const ngtcp2_pkt_hd *hd = accept->hd;
  ngtcp2_settings settings;
  ngtcp2_transport_params params;
  ngtcp2_callbacks callbacks;
  ngtcp2_path path;
  ngtcp2_cid scid;
  uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN];
  int error = wt__conn_issue_first_cid(conn, &scid, token);
  if (!error) error = wt__cid_map_add(&endpoint->cids, hd->dcid.data, hd->dcid.datalen, conn, &conn->cids);
  if (error) return error;
  server_params(&params, endpoint, accept, token);
  conn->congestion_control = endpoint->config.congestion_control;
  server_settings(&settings, conn, accept);
  wt__conn_set_callbacks(&callbacks);
  wt__path_to_quic(&path, accept->path);
  ngtcp2_conn *quic; /* set even on an error, to what is freed by then */
  error = ngtcp2_conn_server_new(&quic, &hd->scid, &scid, &path, hd->version, &callbacks, &settings, &params,
                                 &conn->blocks.mem, conn);
  if (error) return error == NGTCP2_ERR_NOMEM ? WT_ERR_NOMEM : WT_ERR_INVALID;
  conn->quic = quic;
  error = wt__tls_new_server(&conn->tls, endpoint->config.tls, conn->quic);
  if (!error) wt__tls_set_keys(conn->tls, &conn->keys);
  return error;
}

static int server_join_half_open(struct wt__conn *conn, const struct wt__accept *accept) {
  struct wt__endpoint *endpoint = conn->endpoint;
  bool validated = accept->verdict == WT__TOKEN_RETRY || accept->verdict == WT__TOKEN_REGULAR;
  int error = validated ? wt__shared_peer_handshake(endpoint->shared, conn->peer_key) : 0;
  if (error) return error;
  error = wt__half_open_add(&endpoint->half_open, &conn->half_open, conn->peer_key, validated, accept->turnover,
                            endpoint->now);
  if (error && validated) wt__shared_peer_remove(endpoint->shared, WT__PEERS_HANDSHAKES, conn->peer_key);
  return error;
}

int wt__conn_new(struct wt__conn **conn, struct wt__endpoint *endpoint, const struct wt__accept *accept) {
  struct wt__conn *made = wt__conn_alloc(endpoint);
  if (!made) return WT_ERR_NOMEM;
  made->peer_key = wt__peers_key(&endpoint->shared->peers, (const struct sockaddr *)&accept->path->remote);
  wt__conn_set_name(made, &accept->odcid);
  int error = server_init_quic(made, accept);
  if (!error) error = server_join_half_open(made, accept);
  if (error) {
    wt__conn_free(made, WT_TRANSPORT, 0);
    return error;
  }
  wt__conn_add(made);
  *conn = made;
  return 0;
}
