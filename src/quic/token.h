/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_TOKEN_H
#define WT_QUIC_TOKEN_H

/* Address validation (RFC 9000, section 8.1): what a client brings back to show that its address is its own. */

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/clock.h"

struct ngtcp2_cid;

#define WT__TOKEN_RETRY_LIFETIME (10 * WT__NS_PER_S)
#define WT__TOKEN_CLOCK_TOLERANCE (5 * WT__NS_PER_S) /* how far the clocks of two machines may differ */

#define WT__TOKEN_KEY_LEN 32
#define WT__TOKEN_MAX_LEN 128

struct wt__token_key {
  uint8_t secret[WT__TOKEN_KEY_LEN];
};

enum wt__token_verdict {
  WT__TOKEN_NONE,    /* none, or one that proves nothing: an old one, or one under another key */
  WT__TOKEN_RETRY,   /* from our Retry */
  WT__TOKEN_REGULAR, /* from our NEW_TOKEN, on an earlier connection */
  WT__TOKEN_BAD,     /* looks like one of our Retry, but is not for this address or is too old */
};

struct wt__token_address {
  const struct sockaddr *address;
  socklen_t len;
};

/* When a token is looked at. */
struct wt__token_time {
  uint64_t now;       /* by the clock that it was made by */
  uint64_t tolerance; /* how far that clock may differ from ours; 0: it is ours */
};

/* Random. WT_ERR_TLS. */
int wt__token_key_init(struct wt__token_key *key);

/* Both fill `token` (WT__TOKEN_MAX_LEN bytes) and return its length; 0: the TLS library failed. `scid`: the
 * id in the Retry; `odcid`: the one that the client chose. */
size_t wt__token_retry(const struct wt__token_key *key, uint8_t *token, uint32_t version,
                       struct wt__token_address client, const struct ngtcp2_cid *scid, const struct ngtcp2_cid *odcid,
                       uint64_t now);
size_t wt__token_regular(const struct wt__token_key *key, uint8_t *token, struct wt__token_address client,
                         uint64_t now);

/* What a token in an Initial to `dcid` is worth. WT__TOKEN_RETRY: `*odcid` is the id that the client chose first. */
enum wt__token_verdict wt__token_verify(const struct wt__token_key *key, const uint8_t *token, size_t len,
                                        uint32_t version, struct wt__token_address client,
                                        const struct ngtcp2_cid *dcid, struct ngtcp2_cid *odcid,
                                        struct wt__token_time time);

#endif
