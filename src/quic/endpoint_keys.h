/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_ENDPOINT_KEYS_H
#define WT_QUIC_ENDPOINT_KEYS_H

/* An endpoint makes and reads what clients bring back. See endpoint_keys.c. */

#include <ngtcp2/ngtcp2.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/token.h"

struct wt__endpoint;

/* Both fill `token` (WT__TOKEN_MAX_LEN bytes) and return its length; 0: the TLS library failed. `hd`: the client's first
 * Initial; `scid`: the id in the Retry. */
size_t wt__endpoint_make_retry_token(struct wt__endpoint *endpoint, struct wt__token_address client,
                                     const ngtcp2_pkt_hd *hd, const ngtcp2_cid *scid, uint8_t *token);
size_t wt__endpoint_make_token(struct wt__endpoint *endpoint, struct wt__token_address client, uint8_t *token);

/* What the token of an Initial is worth. WT__TOKEN_RETRY: `*odcid` is the id that the client chose first. */
enum wt__token_verdict wt__endpoint_verify_token(struct wt__endpoint *endpoint, struct wt__token_address client,
                                                 const ngtcp2_pkt_hd *hd, ngtcp2_cid *odcid);

/* The stateless reset token of an id of ours, NGTCP2_STATELESS_RESET_TOKENLEN bytes. WT_ERR_TLS. */
int wt__endpoint_make_reset_token(struct wt__endpoint *endpoint, const ngtcp2_cid *id, uint8_t *token);

#endif
