/* SPDX-License-Identifier: MIT */

/*
 * Tokens: a server's memory that the client carries.
 *
 * A first packet may bear a forged address. Whoever answers it with kilobytes of handshake helps to
 * flood the one who really lives there; QUIC limits the answer to three times what came, and a server
 * under load can demand a proof before it keeps any state:
 *
 *   client                                server
 *     | --- Initial ----------------------> |
 *     | <-- Retry, with a token ----------- |   nothing is kept
 *     | --- Initial, with the token ------> |   the token tells the address and the first id
 *
 * A NEW_TOKEN at the end of a handshake spares the next connection that round trip.
 *
 * Tokens are sealed with a key of the server's (libngtcp2_crypto does the sealing). One of a Retry lives seconds and is
 * bound to address and port; a regular one lives for days and is bound to the address alone.
 *
 * The key is the process's own (then the clock is the monotonic one, since no token outlives the process) or a fleet's.
 * A fleet's tokens go by the time of day, and that differs from machine to machine. So a token may look a few seconds
 * older than it is, or as if it came from the future. libngtcp2_crypto takes any time in the future, so that a clock
 * which was wrong for a minute would make tokens for years. Hence the second look at a good token: with a lifetime of
 * zero, as of the latest moment that is believed, it has to be too old. Our own clock needs no such look.
 */

#include "quic/token.h"

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <stdbool.h>

#include "base/vec.h"
#include "quic/tls.h"

#define REGULAR_LIFETIME (7 * 24 * 3600 * WT__NS_PER_S)

_Static_assert(NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2 <= WT__TOKEN_MAX_LEN, "a Retry's token fits");
_Static_assert(NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN <= WT__TOKEN_MAX_LEN, "a regular token fits");

int wt__token_key_init(struct wt__token_key *key) { return wt__tls_random(key->secret, sizeof(key->secret)); }

size_t wt__token_retry(const struct wt__token_key *key, uint8_t *token, uint32_t version,
                       struct wt__token_address client, const struct ngtcp2_cid *scid, const struct ngtcp2_cid *odcid,
                       uint64_t now) {
  ngtcp2_ssize len = ngtcp2_crypto_generate_retry_token2(token, key->secret, sizeof(key->secret), version,
                                                         client.address, client.len, scid, odcid, now);
  return len < 0 ? 0 : (size_t)len;
}

size_t wt__token_regular(const struct wt__token_key *key, uint8_t *token, struct wt__token_address client,
                         uint64_t now) {
  ngtcp2_ssize len =
      ngtcp2_crypto_generate_regular_token(token, key->secret, sizeof(key->secret), client.address, client.len, now);
  return len < 0 ? 0 : (size_t)len;
}

/* A token at hand, and what it is checked against. */
struct check {
  const struct wt__token_key *key;
  struct wt__vec token;
  uint32_t version;
  struct wt__token_address client;
  const struct ngtcp2_cid *dcid;
};

/* 0, or an error of libngtcp2_crypto. */
static int check_retry(const struct check *check, struct ngtcp2_cid *odcid, uint64_t lifetime, uint64_t now) {
  return ngtcp2_crypto_verify_retry_token2(odcid, check->token.data, check->token.len, check->key->secret,
                                           sizeof(check->key->secret), check->version, check->client.address,
                                           check->client.len, check->dcid, lifetime, now);
}

static int check_regular(const struct check *check, uint64_t lifetime, uint64_t now) {
  return ngtcp2_crypto_verify_regular_token(check->token.data, check->token.len, check->key->secret,
                                            sizeof(check->key->secret), check->client.address, check->client.len,
                                            lifetime, now);
}

/* The time before which nothing is too old; no time is before zero. */
static uint64_t earliest(struct wt__token_time time) {
  return time.now > time.tolerance ? time.now - time.tolerance : 0;
}

static enum wt__token_verdict token_verify_retry(const struct check *check, struct ngtcp2_cid *odcid,
                                                 struct wt__token_time time) {
  struct ngtcp2_cid ignored;
  switch (check_retry(check, odcid, WT__TOKEN_RETRY_LIFETIME, earliest(time))) {
    case 0: break;
    case NGTCP2_CRYPTO_ERR_VERIFY_TOKEN: return WT__TOKEN_BAD;
    default: return WT__TOKEN_NONE; /* not sealed with our key: perhaps before a restart */
  }
  bool of_future = time.tolerance && !check_retry(check, &ignored, 0, time.now + time.tolerance);
  return of_future ? WT__TOKEN_BAD : WT__TOKEN_RETRY;
}

static enum wt__token_verdict token_verify_regular(const struct check *check, struct wt__token_time time) {
  if (check_regular(check, REGULAR_LIFETIME, earliest(time))) return WT__TOKEN_NONE;
  bool of_future = time.tolerance && !check_regular(check, 0, time.now + time.tolerance);
  return of_future ? WT__TOKEN_NONE : WT__TOKEN_REGULAR;
}

enum wt__token_verdict wt__token_verify(const struct wt__token_key *key, const uint8_t *token, size_t len,
                                        uint32_t version, struct wt__token_address client,
                                        const struct ngtcp2_cid *dcid, struct ngtcp2_cid *odcid,
                                        struct wt__token_time time) {
  const struct check check = {key, {token, len}, version, client, dcid};
  if (len == 0) return WT__TOKEN_NONE;
  if (token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2) return token_verify_retry(&check, odcid, time);
  if (token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_REGULAR) return token_verify_regular(&check, time);
  return WT__TOKEN_NONE;
}
