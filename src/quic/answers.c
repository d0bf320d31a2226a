/* SPDX-License-Identifier: MIT */

/*
 * Packets that answer others without a connection: Version Negotiation, Retry, a refusal, a stateless reset. No answer is
 * larger than its question, so a forged address gains nothing. Stateless resets have a rate besides: two servers that both
 * know nothing must not play them to and fro.
 *
 * A client takes a reset for one that ends with the token it was given with the id. The token follows from the id and from
 * the secret that was the current one at that time. Which secret that was, nobody knows any more: the machine is gone, and
 * the id has no room to tell, since others say what is in it (routing). So with the secrets of a fleet there is a reset for
 * each, up to three. The client drops those that do not fit. All of them together are still smaller than the packet that
 * they answer. Where only some have room, chance decides which: a client that gets no answer sends again.
 */

#include "quic/answers.h"

#include <ngtcp2/ngtcp2_crypto.h>
#include <string.h>

#include "base/mem.h"
#include "quic/batch.h"
#include "base/rate.h"
#include "quic/cid_maker.h"
#include "quic/endpoint.h"
#include "quic/endpoint_keys.h"
#include "quic/endpoint_state.h"
#include "quic/shared.h"
#include "quic/tls.h"
#include "quic/token.h"

#define RESET_MAX_LEN 43 /* looks like a short packet; what is longer tells no more */
#define RESET_MIN_LEN (NGTCP2_MIN_STATELESS_RESET_RANDLEN + NGTCP2_STATELESS_RESET_TOKENLEN)

static struct wt__token_address path_client(const struct wt__path *path) {
  return (struct wt__token_address){(const struct sockaddr *)&path->remote, path->remote_len};
}

void wt__endpoint_send_packet(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
                              size_t len) {
  if (endpoint->batch.blocked || wt__batch_flush(&endpoint->batch)) return; /* what was written before leaves before */
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
  ngtcp2_cid scid = {.datalen = endpoint->cid_len};
  if (wt__cid_make(&endpoint->ids, scid.data)) return;
  size_t token_len = wt__endpoint_make_retry_token(endpoint, path_client(path), hd, &scid, token);
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

/* One reset of `reset_len` bytes, for the connection that got its token under this key. */
static void reset_send(struct wt__endpoint *endpoint, const struct wt__path *path,
                       const uint8_t key[static WT__RESET_KEY_LEN], const ngtcp2_cid *id, size_t reset_len) {
  uint8_t packet[RESET_MAX_LEN], random[RESET_MAX_LEN], token[NGTCP2_STATELESS_RESET_TOKENLEN];
  if (wt__tls_random(random, sizeof(random)) ||
      ngtcp2_crypto_generate_stateless_reset_token(token, key, WT__RESET_KEY_LEN, id))
    return;
  ngtcp2_ssize written =
      ngtcp2_pkt_write_stateless_reset(packet, reset_len, token, random, reset_len - NGTCP2_STATELESS_RESET_TOKENLEN);
  if (written > 0) wt__endpoint_send_packet(endpoint, path, packet, (size_t)written);
}

/* The one to begin with, so that each key has its turn where the packet has no room for all. */
static size_t reset_first(size_t keys) {
  uint8_t random = 0;
  return keys > 1 && wt__tls_random(&random, 1) == 0 ? random % keys : 0;
}

/* One for each key, as far as they fit into `len` bytes. */
static void resets_send(struct wt__endpoint *endpoint, const struct wt__path *path, const struct wt__keys *keys,
                        const ngtcp2_cid *id, size_t len) {
  size_t room = len / RESET_MIN_LEN, count = keys->reset_count < room ? keys->reset_count : room;
  size_t first = count < keys->reset_count ? reset_first(keys->reset_count) : 0;
  size_t each = len / count < RESET_MAX_LEN ? len / count : RESET_MAX_LEN;
  for (size_t i = 0; i < count; i++) reset_send(endpoint, path, keys->reset[(first + i) % keys->reset_count], id, each);
}

void wt__endpoint_send_reset(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
                             size_t len) {
  if (len <= RESET_MIN_LEN || len < 1 + endpoint->cid_len) return;
  struct wt__keys keys;
  ngtcp2_cid id;
  ngtcp2_cid_init(&id, data + 1, endpoint->cid_len);
  wt__shared_get_keys(endpoint->shared, &keys);
  if (wt__rate_take(keys.of_fleet ? &endpoint->fleet_resets : &endpoint->resets, endpoint->now))
    resets_send(endpoint, path, &keys, &id, len - 1);
  wt__wipe(&keys, sizeof(keys));
}
