/* SPDX-License-Identifier: MIT */

/*
 * Connections that begin here: what a client does otherwise than a server.
 *
 * HTTP/3 is there from the beginning, so that sessions can be asked for at once; they wait in it. It starts (opens
 * its streams, sends SETTINGS) when ngtcp2 has the keys to read 1-RTT packets. That is inside a callback, because the
 * packet with the server's SETTINGS may stand behind the end of the handshake in the same datagram.
 *
 * A client has to tell its user why there is no connection. So before a connection is taken apart, `error` and a
 * sentence are put together from what ngtcp2, TLS and the peer's CONNECTION_CLOSE say.
 *
 * Retry and key updates are ngtcp2's. A Version Negotiation packet ends the connection: versions 1 and 2 are all
 * there is. Tokens of NEW_TOKEN frames are kept for later connections to the same server, beside the session tickets
 * (memory.h). What such a connection takes of them goes back if no packet of the server ever came: the next address
 * that is tried may need it. The connection does not migrate by itself, but follows when a NAT changes its address.
 */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "quic/conn.h"
#include "quic/memory.h"
#include "wire/error_code.h"
#include "wire/utf8.h"

#define ALERT_ILLEGAL_PARAMETER 47 /* RFC 8446, section 6 */

/* --- Beginning --- */

/* The memory's key: the name that the certificate was, or will be, accepted for belongs to it. */
static int client_init_memory(struct wt__conn *conn, const struct wt__connect_options *options) {
  if (!options->memory_key) return 0;
  size_t size = strlen(options->memory_key) + 1 + strlen(options->server_name) + 1;
  conn->memory_key = wt__malloc(size);
  if (!conn->memory_key) return WT_ERR_NOMEM;
  (void)snprintf(conn->memory_key, size, "%s %s", options->memory_key, options->server_name);
  conn->memory = wt__tls_client_memory(options->tls);
  return 0;
}

static struct wt__memory_item *client_take_token(struct wt__conn *conn, uint32_t version) {
  struct wt__memory_key key = {conn->memory_key, version};
  if (!conn->memory) return NULL;
  return wt__memory_take(conn->memory, &key, WT__MEMORY_TOKEN, (int64_t)time(NULL));
}

/* Tokens do not say how long they are good; a server that does not know one any more treats it as none. */
void wt__conn_client_keep_token(struct wt__conn *conn, const uint8_t *token, size_t len) {
  struct wt__memory_key key = {conn->memory_key, ngtcp2_conn_get_negotiated_version(conn->quic)};
  if (!conn->memory || conn->tokens == WT__MEMORY_MAX_ITEMS) return;
  conn->tokens++;
  wt__memory_put(conn->memory, &key, WT__MEMORY_TOKEN, token, len, INT64_MAX);
}

void wt__conn_client_settle(struct wt__conn *conn) {
  bool unused = conn->packets_received == 0;
  if (conn->tls) wt__tls_client_settle(conn->tls, unused);
  if (conn->token && unused) {
    struct wt__memory_key key = {conn->memory_key, ngtcp2_conn_get_client_chosen_version(conn->quic)};
    wt__memory_give_back(conn->memory, &key, WT__MEMORY_TOKEN, conn->token);
  } else {
    wt__memory_item_free(conn->token);
  }
  conn->token = NULL;
}

/* Makes ngtcp2's connection, with a token if one is there. */
static int client_new_quic(struct wt__conn *conn, const ngtcp2_path *path, uint32_t version, const ngtcp2_cid *dcid,
                           const ngtcp2_cid *scid) {
  ngtcp2_settings settings;
  ngtcp2_transport_params params;
  ngtcp2_callbacks callbacks;
  ngtcp2_conn *quic; /* set even on an error, to what is freed by then */
  struct wt__memory_item *token = client_take_token(conn, version);
  wt__conn_settings(&settings, conn->endpoint);
  wt__conn_params(&params, conn->endpoint);
  wt__conn_set_callbacks(&callbacks);
  if (token) { /* copied */
    settings.token = token->data;
    settings.tokenlen = token->len;
    settings.token_type = NGTCP2_TOKEN_TYPE_NEW_TOKEN;
  }
  int rc =
      ngtcp2_conn_client_new(&quic, dcid, scid, path, version, &callbacks, &settings, &params, &conn->blocks.mem, conn);
  if (rc) {
    wt__memory_item_free(token);
    return rc == NGTCP2_ERR_NOMEM ? WT_ERR_NOMEM : WT_ERR_INVALID;
  }
  conn->quic = quic;
  conn->token = token;
  return 0;
}

static int client_init_quic(struct wt__conn *conn, const struct wt__path *path,
                            const struct wt__connect_options *options) {
  struct wt__endpoint *endpoint = conn->endpoint;
  const uint32_t version = options->version ? options->version : NGTCP2_PROTO_VER_V1;
  ngtcp2_path quic_path;
  ngtcp2_cid scid = {.datalen = WT__CID_LEN}, dcid = {.datalen = WT__CID_LEN};
  if (version != NGTCP2_PROTO_VER_V1 && version != NGTCP2_PROTO_VER_V2) return WT_ERR_INVALID;
  int rc = client_init_memory(conn, options);
  if (!rc) rc = wt__cid_generate(scid.data, 0, 1);
  if (!rc) rc = wt__tls_random(dcid.data, dcid.datalen);
  if (!rc) rc = wt__cid_map_add(&endpoint->cids, scid.data, scid.datalen, conn, &conn->cids);
  if (rc) return rc;
  wt__conn_set_name(conn, &dcid);
  wt__path_to_quic(&quic_path, path);
  rc = client_new_quic(conn, &quic_path, version, &dcid, &scid);
  if (rc) return rc;
  rc = wt__tls_new_client(&conn->tls, options->tls, options->server_name, conn->memory_key, conn->quic);
  if (!rc) wt__tls_set_keys(conn->tls, &conn->keys);
  return rc;
}

int wt__endpoint_connect(struct wt__endpoint *endpoint, const struct wt__path *path,
                         const struct wt__connect_options *options, uint64_t now, struct wt__h3_conn **h3) {
  char peer[WT__ADDRESS_TEXT_MAX];
  endpoint->now = now;
  struct wt__conn *conn = wt__conn_alloc(endpoint);
  if (!conn) return WT_ERR_NOMEM;
  conn->client = true;
  wt__conn_address_text(&path->remote, peer, sizeof(peer));
  int rc = client_init_quic(conn, path, options);
  if (!rc) {
    rc = wt__h3_conn_new_client(&conn->h3, &endpoint->config.h3, &options->callbacks, options->user_data,
                                &wt__quic_transport, conn, peer, now);
  }
  if (rc) {
    wt__conn_free(conn, WT_TRANSPORT, 0);
    return rc;
  }
  wt__conn_add(conn);
  wt__conn_wake(conn);
  *h3 = conn->h3;
  return 0;
}

int wt__conn_client_start(struct wt__conn *conn) {
  const ngtcp2_transport_params *params = ngtcp2_conn_get_remote_transport_params(conn->quic);
  wt__h3_conn_start(conn->h3, params ? params->max_datagram_frame_size : 0);
  return conn->close_wanted ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

/* --- Stateless resets --- */

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
    wt__conn_recv(conn, path, 0, data, len);
  }
}

/* --- Why it ended --- */

static bool is_tls_alert(uint64_t code) { return code >= NGTCP2_CRYPTO_ERROR && code < NGTCP2_CRYPTO_ERROR + 0x100; }

/* Some TLS libraries refuse names with an underscore in this way; the alert alone tells nobody. */
static bool may_be_the_name(const struct wt__conn *conn, uint8_t alert) {
  const char *name = wt__tls_server_name(conn->tls);
  return alert == ALERT_ILLEGAL_PARAMETER && !conn->shaken && strchr(name, '_') != NULL;
}

static void explain_alert(const struct wt__conn *conn, struct wt__h3_end *end, uint8_t alert) {
  bool name = may_be_the_name(conn, alert);
  end->error = WT_ERR_TLS;
  (void)snprintf(end->reason, sizeof(end->reason), "the server ended the handshake: %s%s%s", wt__tls_alert_name(alert),
                 name ? "; maybe it takes no name with an underscore, such as " : "",
                 name ? wt__tls_server_name(conn->tls) : "");
}

/* The other end closed it, or forgot about it. */
static void explain_draining(struct wt__conn *conn, struct wt__h3_end *end) {
  const ngtcp2_ccerr *peer = ngtcp2_conn_get_ccerr(conn->quic);
  end->error = WT_ERR_CLOSED;
  end->is_h3 = peer->type == NGTCP2_CCERR_TYPE_APPLICATION;
  if (conn->stateless_reset) {
    (void)snprintf(end->reason, sizeof(end->reason), "%s", WT__STATELESS_RESET_TEXT);
  } else if (!end->is_h3 && is_tls_alert(peer->error_code)) {
    explain_alert(conn, end, (uint8_t)peer->error_code);
  } else {
    const char *reason = peer->reasonlen ? (const char *)peer->reason : "";
    (void)wt__utf8_show(end->reason, sizeof(end->reason), reason, peer->reasonlen);
  }
}

static void explain_crypto(struct wt__conn *conn, struct wt__h3_end *end) {
  const char *why = wt__tls_error(conn->tls);
  end->error = *why ? WT_ERR_CERTIFICATE : WT_ERR_TLS;
  if (*why) {
    (void)snprintf(end->reason, sizeof(end->reason), "%s", why);
  } else {
    (void)snprintf(end->reason, sizeof(end->reason), "the TLS handshake failed: %s",
                   wt__tls_alert_name(ngtcp2_conn_get_tls_alert(conn->quic)));
  }
}

/* This end closed it with a code of HTTP/3. */
static void explain_close(const struct wt__conn *conn, struct wt__h3_end *end) {
  end->is_h3 = true;
  end->error = conn->close_code == WT__H3_NO_ERROR               ? WT_ERR_CLOSED
               : conn->close_code == WT__WT_REQUIREMENTS_NOT_MET ? WT_ERR_SETTINGS
               : conn->close_code == WT__H3_INTERNAL_ERROR       ? WT_ERR_INTERNAL
                                                                 : WT_ERR_PROTOCOL;
  (void)snprintf(end->reason, sizeof(end->reason), "%s", conn->close_reason ? conn->close_reason : "");
}

static void explain(struct wt__h3_end *end, int error, const char *reason) {
  end->error = error;
  (void)snprintf(end->reason, sizeof(end->reason), "%s", reason);
}

void wt__conn_client_explain(struct wt__conn *conn, int rc) {
  struct wt__h3_end end = {.error = WT_ERR_CLOSED};
  if (!conn->h3) return;
  switch (rc) {
    case 0: explain_close(conn, &end); break;
    case NGTCP2_ERR_DRAINING: explain_draining(conn, &end); break;
    case NGTCP2_ERR_CRYPTO: explain_crypto(conn, &end); break;
    case NGTCP2_ERR_IDLE_CLOSE: explain(&end, WT_ERR_TIMEOUT, "nothing was heard of the server any more"); break;
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT: explain(&end, WT_ERR_TIMEOUT, "the handshake took too long"); break;
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
      explain(&end, WT_ERR_UNSUPPORTED, "the server speaks neither version 1 nor version 2 of QUIC");
      break;
    case NGTCP2_ERR_NOMEM: explain(&end, WT_ERR_NOMEM, "out of memory"); break;
    default: explain(&end, WT_ERR_PROTOCOL, ngtcp2_strerror(rc)); break;
  }
  wt__h3_conn_set_end(conn->h3, &end);
}
