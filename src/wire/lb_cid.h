/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_LB_CID_H
#define WT_WIRE_LB_CID_H

/* Connection ids from which a load balancer reads the server: QUIC-LB (draft-ietf-quic-load-balancers-22). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT__LB_CONFIG_IDS 7 /* configuration ids are 0 to 6 */
#define WT__LB_UNROUTABLE 7 /* 0b111: the server has no configuration */
#define WT__LB_BLOCK_MIN 5  /* of server id and nonce together */
#define WT__LB_BLOCK_MAX 19
#define WT__LB_SERVER_ID_MIN 1
#define WT__LB_SERVER_ID_MAX 15
#define WT__LB_NONCE_MIN 4
#define WT__LB_NONCE_MAX 18
#define WT__LB_CID_MAX 20     /* QUIC v1 and v2 have no longer ids */
#define WT__LB_FAILOVER_MIN 8 /* of an unroutable id */

struct wt__lb_config {
  uint8_t config_id;     /* the first three bits of an id */
  uint8_t server_id_len; /* bytes */
  uint8_t nonce_len;     /* bytes */
  bool encrypted;
  bool length_in_first_octet; /* its last five bits have the length of what follows; else they are random */
};

/* One block of AES-128-ECB. 0, or an error, which the functions below return. `in` and `out` may be the same bytes. */
typedef int (*wt__aes_block)(void *context, const uint8_t in[16], uint8_t out[16]);

/* The key of a configuration. `decrypt` is needed only to read ids whose server id and nonce are 16 bytes together.
 * Without encryption, none of it is used. */
struct wt__lb_cipher {
  wt__aes_block encrypt, decrypt;
  void *context;
};

/* What is wrong with a configuration, in words; NULL: nothing. The other functions take only configurations that pass. */
const char *wt__lb_config_fault(const struct wt__lb_config *config);

/* The length of an id without the bytes that its server appends. */
size_t wt__lb_cid_len(const struct wt__lb_config *config);

/*
 * Writes the first octet, the server id and the nonce: `wt__lb_cid_len` bytes. The caller fills in what he appends, so
 * that the id becomes `total_len` bytes long. The nonce must be fresh for each id: random if the id is not encrypted.
 * `first_bits` are random bits for the first octet; the lowest five may be used. WT_ERR_INVALID for a `total_len` that is
 * too short or too long, or an error of the cipher; `out` must not be used then.
 */
int wt__lb_cid_write(const struct wt__lb_config *config, const struct wt__lb_cipher *cipher, uint8_t first_bits,
                     const uint8_t *server_id, const uint8_t *nonce, size_t total_len, uint8_t *out);

/* The server id of an id, `config->server_id_len` bytes; bytes behind the nonce are ignored. WT_ERR_INVALID if the id is
 * too short or names another configuration, or an error of the cipher. The length in the first octet is not checked: not
 * every server counts the bytes that it appends. */
int wt__lb_cid_read(const struct wt__lb_config *config, const struct wt__lb_cipher *cipher, const uint8_t *id,
                    size_t len, uint8_t *server_id);

/* The configuration id of an id, by its first octet; WT__LB_UNROUTABLE is none. */
unsigned wt__lb_cid_config_id(uint8_t first_octet);

/* Makes `len` random bytes an id of a server without a configuration: 0b111 and the length. */
void wt__lb_cid_make_unroutable(uint8_t *id, size_t len);

#endif
