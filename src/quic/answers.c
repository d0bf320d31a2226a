/* SPDX-License-Identifier: MIT */

/*
 * Packets that answer others without a connection: Version Negotiation, Retry, a refusal, a stateless reset. No answer is
 * larger than its question, so a forged address gains nothing. Stateless resets have a rate besides: two servers that both
 * know nothing must not play them to and fro.
 */

#include "quic/answers.h"

#include <ngtcp2/ngtcp2_crypto.h>
#include <string.h>

#include "base/rate.h"
#include "quic/cid.h"
#include "quic/endpoint.h"
#include "quic/endpoint_state.h"
#include "quic/tls.h"
#include "quic/token.h"

#define RESET_MAX_LEN 43 /* looks like a short packet; what is longer tells no more */
#define RESET_MIN_LEN (NGTCP2_MIN_STATELESS_RESET_RANDLEN + NGTCP2_STATELESS_RESET_TOKENLEN)

static struct wt__token_address path_client(const struct wt__path *path) {
  return (struct wt__token_address){(const struct sockaddr *)&path->remote, path->remote_len};
}

void wt__endpoint_send_packet(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
                              size_t len) {
  if (endpoint->batch.blocked) return;
  if (endpoint->config.send(endpoint->config.send_ctx, path, NGTCP2_ECN_NOT_ECT, data, len, len)) return;
  endpoint->stats.packets_sent++;
  endpoint->stats.bytes_sent += len;
}

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

void wt__endpoint_send_refusal(struct wt__endpoint *endpoint, const struct wt__path *path, const ngtcp2_pkt_hd *hd,
                               uint64_t code) {
  uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
  ngtcp2_ssize len =
      ngtcp2_crypto_write_connection_close(packet, sizeof(packet), hd->version, &hd->scid, &hd->dcid, code, NULL, 0);
  if (len > 0) wt__endpoint_send_packet(endpoint, path, packet, (size_t)len);
}

void wt__endpoint_send_reset(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
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
