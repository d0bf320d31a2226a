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
 * Nothing but a new connection takes memory, and no other answer is larger than its question: a forged
 * address gains nothing. Stateless resets have a rate besides: two servers that both know nothing must
 * not play them to and fro.
 */

#include <ngtcp2/ngtcp2_crypto.h>
#include <string.h>

#include "quic/admit.h"
#include "quic/conn.h"

#define RESET_MAX_LEN 43 /* looks like a short packet; what is longer tells no more */
#define RESET_MIN_LEN (NGTCP2_MIN_STATELESS_RESET_RANDLEN + NGTCP2_STATELESS_RESET_TOKENLEN)

void wt__path_to_quic(ngtcp2_path *dst, const struct wt__path *src) {
  dst->local.addr = (ngtcp2_sockaddr *)(uintptr_t)&src->local;
  dst->local.addrlen = src->local_len;
  dst->remote.addr = (ngtcp2_sockaddr *)(uintptr_t)&src->remote;
  dst->remote.addrlen = src->remote_len;
  dst->user_data = src->socket;
}

void wt__path_from_quic(struct wt__path *dst, const ngtcp2_path *src) {
  dst->local_len = src->local.addrlen;
  dst->remote_len = src->remote.addrlen;
  memcpy(&dst->local, src->local.addr, src->local.addrlen);
  memcpy(&dst->remote, src->remote.addr, src->remote.addrlen);
  dst->socket = src->user_data;
}

void wt__endpoint_send_packet(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
                              size_t len) {
  if (endpoint->batch.blocked) return;
  if (endpoint->config.send(endpoint->config.send_ctx, path, NGTCP2_ECN_NOT_ECT, data, len, len)) return;
  endpoint->stats.packets_sent++;
  endpoint->stats.bytes_sent += len;
}

static struct wt__token_address path_client(const struct wt__path *path) {
  return (struct wt__token_address){(const struct sockaddr *)&path->remote, path->remote_len};
}

/* --- Answers --- */

void wt__endpoint_send_version_negotiation(struct wt__endpoint *endpoint, const struct wt__path *path,
                                           const ngtcp2_version_cid *ids) {
  uint8_t packet[600], random[5]; /* ids of other versions have up to 255 bytes */
  if (wt__tls_random(random, sizeof(random))) return;
  /* A reserved version of the form 0x?a?a?a?a keeps clients used to lists with unknown entries. */
  uint32_t grease;
  memcpy(&grease, random, sizeof(grease));
  uint32_t versions[] = {(grease & UINT32_C(0xf0f0f0f0)) | NGTCP2_RESERVED_VERSION_MASK, NGTCP2_PROTO_VER_V1,
                         NGTCP2_PROTO_VER_V2};
  ngtcp2_ssize len =
      ngtcp2_pkt_write_version_negotiation(packet, sizeof(packet), random[4], ids->scid, ids->scidlen, ids->dcid,
                                           ids->dcidlen, versions, sizeof(versions) / sizeof(*versions));
  if (len > 0) wt__endpoint_send_packet(endpoint, path, packet, (size_t)len);
}

void wt__endpoint_send_retry(struct wt__endpoint *endpoint, const struct wt__path *path, const ngtcp2_pkt_hd *hd) {
  uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE], token[WT__TOKEN_MAX_LEN];
  ngtcp2_cid scid = {.datalen = WT__CID_LEN};
  if (wt__cid_generate(scid.data, endpoint->config.worker, endpoint->config.workers)) return;
  size_t token_len = wt__token_retry(&endpoint->shared->token_key, token, hd->version, path_client(path), &scid,
                                     &hd->dcid, endpoint->now);
  if (!token_len) return;
  ngtcp2_ssize len =
      ngtcp2_crypto_write_retry(packet, sizeof(packet), hd->version, &hd->scid, &scid, &hd->dcid, token, token_len);
  if (len > 0) wt__endpoint_send_packet(endpoint, path, packet, (size_t)len);
}

static void endpoint_send_refusal(struct wt__endpoint *endpoint, const struct wt__path *path, const ngtcp2_pkt_hd *hd,
                                  uint64_t code) {
  uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
  ngtcp2_ssize len =
      ngtcp2_crypto_write_connection_close(packet, sizeof(packet), hd->version, &hd->scid, &hd->dcid, code, NULL, 0);
  if (len > 0) wt__endpoint_send_packet(endpoint, path, packet, (size_t)len);
}

/* Shorter than what it answers, so that resets that answer resets die out. */
static void endpoint_send_reset(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
                                size_t len) {
  if (len <= RESET_MIN_LEN || len < 1 + WT__CID_LEN || !wt__rate_take(&endpoint->resets, endpoint->now)) return;
  uint8_t packet[RESET_MAX_LEN], random[RESET_MAX_LEN], token[NGTCP2_STATELESS_RESET_TOKENLEN];
  size_t reset_len = len - 1 < RESET_MAX_LEN ? len - 1 : RESET_MAX_LEN;
  ngtcp2_cid dcid;
  ngtcp2_cid_init(&dcid, data + 1, WT__CID_LEN);
  if (wt__tls_random(random, sizeof(random)) ||
      ngtcp2_crypto_generate_stateless_reset_token(token, endpoint->config.reset_key, WT__RESET_KEY_LEN, &dcid))
    return;
  ngtcp2_ssize written =
      ngtcp2_pkt_write_stateless_reset(packet, reset_len, token, random, reset_len - NGTCP2_STATELESS_RESET_TOKENLEN);
  if (written > 0) wt__endpoint_send_packet(endpoint, path, packet, (size_t)written);
}

/* --- First packets --- */

/* The connection for an Initial packet, or NULL once it was answered otherwise. */
static struct wt__conn *endpoint_accept(struct wt__endpoint *endpoint, const struct wt__path *path,
                                        const ngtcp2_pkt_hd *hd, struct wt__admission *admission) {
  struct wt__accept accept = {.hd = hd, .path = path, .odcid = hd->dcid};
  accept.verdict = wt__token_verify(&endpoint->shared->token_key, hd->token, hd->tokenlen, hd->version,
                                    path_client(path), &hd->dcid, &accept.odcid, endpoint->now);
  if (accept.verdict == WT__TOKEN_BAD) {
    endpoint_send_refusal(endpoint, path, hd, NGTCP2_INVALID_TOKEN);
    return NULL;
  }
  bool validated = accept.verdict == WT__TOKEN_RETRY || accept.verdict == WT__TOKEN_REGULAR;
  switch (wt__endpoint_admit(endpoint, path, validated, admission)) {
    case WT__ADMIT_RETRY: wt__endpoint_send_retry(endpoint, path, hd); return NULL;
    case WT__ADMIT_NOT: endpoint_send_refusal(endpoint, path, hd, NGTCP2_CONNECTION_REFUSED); return NULL;
    case WT__ADMIT_NOW: break;
  }
  struct wt__conn *conn;
  if (admission->gives_way || admission->owes) {
    wt__shared_begin_beyond(endpoint->shared);
  } else if (!wt__shared_begin(endpoint->shared, endpoint->config.max_connections)) { /* another worker was faster */
    endpoint_send_refusal(endpoint, path, hd, NGTCP2_CONNECTION_REFUSED);
    return NULL;
  }
  int rc = wt__conn_new(&conn, endpoint, &accept);
  if (!rc) return conn;
  wt__shared_end(endpoint->shared, false);
  WT__WARN_LIMITED(endpoint->config.log, &endpoint->admit_lines, endpoint->now, "a connection was refused: %s",
                   wt_error_string(rc));
  endpoint_send_refusal(endpoint, path, hd, NGTCP2_CONNECTION_REFUSED);
  return NULL;
}

void wt__endpoint_recv_unknown(struct wt__endpoint *endpoint, const struct wt__path *path, unsigned ecn,
                               const uint8_t *data, size_t len) {
  if (!(data[0] & 0x80)) {
    endpoint_send_reset(endpoint, path, data, len);
    return;
  }
  ngtcp2_pkt_hd hd;
  if (ngtcp2_accept(&hd, data, len)) return;
  /* An unvalidated token lets ngtcp2 accept ids of any length; shorter ones are not allowed first. */
  if (hd.dcid.datalen < NGTCP2_MIN_INITIAL_DCIDLEN) return;
  if (wt__endpoint_drops(endpoint, path, hd.tokenlen > 0)) return;
  struct wt__admission admission;
  struct wt__conn *conn = endpoint_accept(endpoint, path, &hd, &admission);
  if (!conn) return;
  size_t half_open = endpoint->half_open.count;
  wt__conn_recv(conn, path, ecn, data, len);
  /* A packet that was no Initial after all has ended it again: nobody gives way for that. */
  if (endpoint->half_open.count == half_open) wt__endpoint_make_room(endpoint, &admission);
}
