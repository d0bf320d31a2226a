/* SPDX-License-Identifier: MIT */

/*
 * What a client's connection does differently from a server's.
 *
 * HTTP/3 exists from the beginning, so that sessions can be requested at once; the requests wait in it. It starts (opens
 * its streams, sends SETTINGS) when ngtcp2 has the keys to read 1-RTT packets. That happens inside a callback, because the
 * packet with the server's SETTINGS may follow the end of the handshake in the same datagram.
 *
 * ngtcp2 handles Retry and key updates. A Version Negotiation packet ends the connection, because we know no other versions
 * than 1 and 2. The connection does not migrate by itself, but it goes on when a NAT changes its address.
 */

#include "quic/client.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/list.h"
#include "base/mem.h"
#include "h3/client.h"
#include "quic/callbacks.h"
#include "quic/cid.h"
#include "quic/cid_issue.h"
#include "quic/closing.h"
#include "quic/conn.h"
#include "quic/endpoint.h"
#include "quic/endpoint_state.h"
#include "quic/path.h"
#include "quic/recv.h"
#include "quic/resumption.h"
#include "quic/tls.h"
#include "quic/transport.h"
#include "quic/transport_params.h"
#include "quic/wake.h"

/* --- Beginning --- */

/* The key under which tickets and tokens are kept. The name for which the certificate is accepted is part of it. */
static int client_init_resumption(struct wt__conn *conn, const struct wt__connect_options *options) {
  if (!options->resumption_key) return 0;
  size_t size = strlen(options->resumption_key) + 1 + strlen(options->server_name) + 1;
  conn->resumption_key = wt__malloc(size);
  if (!conn->resumption_key) return WT_ERR_NOMEM;
  (void)snprintf(conn->resumption_key, size, "%s %s", options->resumption_key, options->server_name);
  conn->resumption = wt__tls_client_resumption(options->tls);
  return 0;
}

/* Makes ngtcp2's connection, with a token if one is there. */
static int client_new_quic(struct wt__conn *conn, const ngtcp2_path *path, uint32_t version, const ngtcp2_cid *dcid,
                           const ngtcp2_cid *scid) {
  ngtcp2_settings settings;
  ngtcp2_transport_params params;
  ngtcp2_callbacks callbacks;
  ngtcp2_conn *quic; /* set even on an error, to what is freed by then */
  struct wt__resumption_item *token = wt__conn_client_take_token(conn, version);
  wt__conn_settings(&settings, conn);
  wt__conn_params(&params, conn->endpoint);
  wt__conn_set_callbacks(&callbacks);
  if (token) { /* copied */
    settings.token = token->data;
    settings.tokenlen = token->len;
    settings.token_type = NGTCP2_TOKEN_TYPE_NEW_TOKEN;
  }
  int error =
      ngtcp2_conn_client_new(&quic, dcid, scid, path, version, &callbacks, &settings, &params, &conn->blocks.mem, conn);
  if (error) {
    wt__resumption_item_free(token);
    return error == NGTCP2_ERR_NOMEM ? WT_ERR_NOMEM : WT_ERR_INVALID;
  }
  conn->quic = quic;
  conn->token = token;
  return 0;
}

static int client_init_quic(struct wt__conn *conn, const struct wt__path *path,
                            const struct wt__connect_options *options) {
  const uint32_t version = options->version ? options->version : NGTCP2_PROTO_VER_V1;
  ngtcp2_path quic_path;
  ngtcp2_cid scid, dcid = {.datalen = WT__CID_LEN};
  uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN]; /* only servers have some for their first id */
  if (version != NGTCP2_PROTO_VER_V1 && version != NGTCP2_PROTO_VER_V2) return WT_ERR_INVALID;
  int error = client_init_resumption(conn, options);
  if (!error) error = wt__conn_issue_first_cid(conn, &scid, token);
  if (!error) error = wt__tls_random(dcid.data, dcid.datalen);
  if (error) return error;
  wt__conn_set_name(conn, &dcid);
  wt__path_to_quic(&quic_path, path);
  error = client_new_quic(conn, &quic_path, version, &dcid, &scid);
  if (error) return error;
  error = wt__tls_new_client(&conn->tls, options->tls, options->server_name, conn->resumption_key, conn->quic);
  if (!error) wt__tls_set_keys(conn->tls, &conn->keys);
  return error;
}

int wt__endpoint_connect(struct wt__endpoint *endpoint, const struct wt__path *path,
                         const struct wt__connect_options *options, uint64_t now, struct wt__h3_conn **h3) {
  char peer[WT__PEER_TEXT_MAX];
  endpoint->now = now;
  struct wt__conn *conn = wt__conn_alloc(endpoint);
  if (!conn) return WT_ERR_NOMEM;
  conn->client = true;
  conn->congestion_control = options->congestion_control;
  wt__conn_address_text(&path->remote, peer, sizeof(peer));
  int error = client_init_quic(conn, path, options);
  if (!error) {
    error = wt__h3_conn_new_client(&conn->h3, &endpoint->config.h3, &options->callbacks, options->user_data,
                                   &wt__quic_transport, conn, peer, now);
  }
  if (error) {
    wt__conn_free(conn, WT_TRANSPORT, 0);
    return error;
  }
  wt__conn_add(conn);
  wt__conn_wake(conn);
  *h3 = conn->h3;
  return 0;
}

/* --- Stateless resets --- */

/* What waits came before it, and may have been the peer's orderly end. */
static void conn_recv_in_order(struct wt__conn *conn, const struct wt__path *path, const uint8_t *data, size_t len) {
  if (conn->lane.first) {
    wt__endpoint_put_off(conn->endpoint, conn, path, 0, data, len);
  } else {
    wt__conn_recv(conn, path, 0, data, len);
  }
}

void wt__endpoint_recv_client_unknown(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
                                      size_t len) {
  if (data[0] & 0x80) return;
  /* Its connection id is noise; the address it comes from and the token at its end tell whose it is. ngtcp2 drops
   * what is no reset. */
  WT__LIST_FOREACH(link, next, &endpoint->conns) {
    struct wt__conn *conn = WT__CONTAINER_OF(link, struct wt__conn, link);
    const ngtcp2_path *own = ngtcp2_conn_get_path(conn->quic);
    if (own->remote.addrlen != path->remote_len || memcmp(own->remote.addr, &path->remote, path->remote_len) != 0)
      continue;
    conn_recv_in_order(conn, path, data, len);
  }
}
