/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_AES_H
#define WT_QUIC_AES_H

/* Single blocks of AES-128, for connection ids that balancers decrypt. */

#include <stdint.h>

#define WT__AES_KEY_LEN 16
#define WT__AES_BLOCK_LEN 16

/* One key, for one thread at a time. */
struct wt__aes;

/* WT_ERR_NOMEM, WT_ERR_TLS. */
int wt__aes_new(struct wt__aes **aes, const uint8_t key[WT__AES_KEY_LEN]);
void wt__aes_free(struct wt__aes *aes);

/* `aes` is a struct wt__aes: these are functions of wire/lb_cid.h. `in` and `out` may be the same bytes. WT_ERR_TLS. */
int wt__aes_encrypt_block(void *aes, const uint8_t in[WT__AES_BLOCK_LEN], uint8_t out[WT__AES_BLOCK_LEN]);
int wt__aes_decrypt_block(void *aes, const uint8_t in[WT__AES_BLOCK_LEN], uint8_t out[WT__AES_BLOCK_LEN]);

#endif
