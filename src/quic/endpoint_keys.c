/* SPDX-License-Identifier: MIT */

/*
 * What an endpoint does with the server's keys: it makes tokens with the current one, and tries those that come in with
 * each. A key of the process goes with the monotonic clock, keys of a fleet with the time of day (token_clock.c).
 */

#include "quic/endpoint_keys.h"

#include <ngtcp2/ngtcp2_crypto.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "quic/endpoint_state.h"
#include "quic/keys.h"
#include "quic/shared.h"
#include "quic/token_clock.h"

/* The keys of now, and the time that goes with them. */
static struct wt__token_time keys_take(struct wt__endpoint *endpoint, struct wt__keys *keys) {
  const struct wt__endpoint_config *config = &endpoint->config;
  wt__shared_get_keys(endpoint->shared, keys);
  if (!keys->of_fleet) return (struct wt__token_time){endpoint->now, 0};
  uint64_t wall = config->time_of_day ? config->time_of_day(config->time_of_day_ctx) : endpoint->now;
  return (struct wt__token_time){wt__token_clock_read(&endpoint->token_clock, wall, endpoint->now),
                                 WT__TOKEN_CLOCK_TOLERANCE};
}

size_t wt__endpoint_make_retry_token(struct wt__endpoint *endpoint, struct wt__token_address client,
                                     const ngtcp2_pkt_hd *hd, const ngtcp2_cid *scid, uint8_t *token) {
  struct wt__keys keys;
  struct wt__token_time time = keys_take(endpoint, &keys);
  size_t len = wt__token_retry(&keys.token[0], token, hd->version, client, scid, &hd->dcid, time.now);
  wt__wipe(&keys, sizeof(keys));
  return len;
}

size_t wt__endpoint_make_token(struct wt__endpoint *endpoint, struct wt__token_address client, uint8_t *token) {
  struct wt__keys keys;
  struct wt__token_time time = keys_take(endpoint, &keys);
  size_t len = wt__token_regular(&keys.token[0], token, client, time.now);
  wt__wipe(&keys, sizeof(keys));
  return len;
}

/* With each key. A key that opens the token decides, whatever the others say. */
static enum wt__token_verdict keys_verify(const struct wt__keys *keys, struct wt__token_address client,
                                          const ngtcp2_pkt_hd *hd, ngtcp2_cid *odcid, struct wt__token_time time) {
  enum wt__token_verdict verdict = WT__TOKEN_NONE;
  for (size_t i = 0; i < keys->token_count && verdict == WT__TOKEN_NONE; i++)
    verdict = wt__token_verify(&keys->token[i], hd->token, hd->tokenlen, hd->version, client, &hd->dcid, odcid, time);
  return verdict;
}

static bool is_proof(enum wt__token_verdict verdict) {
  return verdict == WT__TOKEN_RETRY || verdict == WT__TOKEN_REGULAR;
}

enum wt__token_verdict wt__endpoint_verify_token(struct wt__endpoint *endpoint, struct wt__token_address client,
                                                 const ngtcp2_pkt_hd *hd, ngtcp2_cid *odcid) {
  struct wt__keys keys;
  if (hd->tokenlen == 0) return WT__TOKEN_NONE;
  struct wt__token_time time = keys_take(endpoint, &keys);
  enum wt__token_verdict verdict = keys_verify(&keys, client, hd, odcid, time);
  if (keys.of_fleet && !is_proof(verdict) && wt__token_clock_before(&endpoint->token_clock, endpoint->now, &time.now)) {
    enum wt__token_verdict before = keys_verify(&keys, client, hd, odcid, time);
    if (is_proof(before)) verdict = before;
  }
  wt__wipe(&keys, sizeof(keys));
  return verdict;
}

int wt__endpoint_make_reset_token(struct wt__endpoint *endpoint, const ngtcp2_cid *id, uint8_t *token) {
  struct wt__keys keys;
  wt__shared_get_keys(endpoint->shared, &keys);
  int error = ngtcp2_crypto_generate_stateless_reset_token(token, keys.reset[0], WT__RESET_KEY_LEN, id);
  wt__wipe(&keys, sizeof(keys));
  return error ? WT_ERR_TLS : 0;
}
