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
 * Tokens are sealed with a key of this endpoint's own (libngtcp2_crypto does the sealing). One of a
 * Retry lives seconds and is bound to address and port; a regular one lives for days and is bound to the
 * address alone. The clock is the monotonic one: tokens do not outlive the process, as their key does not.
 */

#include "quic/token.h"

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "base/clock.h"
#include "quic/tls.h"

#define RETRY_LIFETIME (10 * WT__NS_PER_S)
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

static enum wt__token_verdict token_verify_retry(const struct wt__token_key *key, const uint8_t *token, size_t len,
                                                 uint32_t version, struct wt__token_address client,
                                                 const struct ngtcp2_cid *dcid, struct ngtcp2_cid *odcid,
                                                 uint64_t now) {
  int error = ngtcp2_crypto_verify_retry_token2(odcid, token, len, key->secret, sizeof(key->secret), version,
                                                client.address, client.len, dcid, RETRY_LIFETIME, now);
  switch (error) {
    case 0: return WT__TOKEN_RETRY;
    case NGTCP2_CRYPTO_ERR_VERIFY_TOKEN: return WT__TOKEN_BAD;
    default: return WT__TOKEN_NONE; /* not sealed with our key: perhaps before a restart */
  }
}

enum wt__token_verdict wt__token_verify(const struct wt__token_key *key, const uint8_t *token, size_t len,
                                        uint32_t version, struct wt__token_address client,
                                        const struct ngtcp2_cid *dcid, struct ngtcp2_cid *odcid, uint64_t now) {
  if (len == 0) return WT__TOKEN_NONE;
  if (token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2)
    return token_verify_retry(key, token, len, version, client, dcid, odcid, now);
  if (token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_REGULAR &&
      !ngtcp2_crypto_verify_regular_token(token, len, key->secret, sizeof(key->secret), client.address, client.len,
                                          REGULAR_LIFETIME, now))
    return WT__TOKEN_REGULAR;
  return WT__TOKEN_NONE;
}
