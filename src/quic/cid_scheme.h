/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CID_SCHEME_H
#define WT_QUIC_CID_SCHEME_H

/* What a server's connection ids look like: `struct wt_connection_ids`, checked, and how an id is put together. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/fleet.h>

#include "quic/aes.h"
#include "quic/cid.h"
#include "wire/lb_cid.h"

#define WT__CID_MIN_LEN 8 /* of ids that we choose */
#define WT__CID_WHY_MAX 160

/* Compared as bytes: made by the two functions below, and copied by memcpy. */
struct wt__cid_scheme {
  enum wt_connection_id_layout layout;
  uint8_t len; /* of an id */
  uint8_t server_id_len, server_id[WT__LB_SERVER_ID_MAX];
  uint8_t key[WT__AES_KEY_LEN];
  uint8_t katran_version;
  uint32_t katran_host;
  struct wt__lb_config lb;
};

/* Random ids of WT__CID_LEN bytes. */
void wt__cid_scheme_random(struct wt__cid_scheme *scheme);

/* `ids` as a program gave it, for a server with so many workers; NULL: random. WT_ERR_INVALID or WT_ERR_UNSUPPORTED, and a
 * sentence in `why` that names the member at fault. */
int wt__cid_scheme_read(struct wt__cid_scheme *scheme, const struct wt_connection_ids *ids, unsigned workers, char *why,
                        size_t size);

bool wt__cid_scheme_equal(const struct wt__cid_scheme *a, const struct wt__cid_scheme *b);

/* Whether its nonces are to be counted: with a key and too short to be random. */
bool wt__cid_scheme_counts(const struct wt__cid_scheme *scheme);

/* Turns `id`, `scheme->len` random bytes, into an id. `nonce`: its nonce, big-endian; NULL: the random bytes. The worker's
 * byte is not touched. WT_ERR_TLS. */
int wt__cid_scheme_write(const struct wt__cid_scheme *scheme, struct wt__aes *aes, const uint8_t *nonce, uint8_t *id);

#endif
