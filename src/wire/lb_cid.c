/* SPDX-License-Identifier: MIT */

/*
 * QUIC-LB: the server's name in each connection id.
 *
 *      1 octet              1 to 15 octets      4 to 18 octets      rest
 *     +---------+----------+------------------+-------------------+------------+
 *     | config  | length   | server id        | nonce             | the        |
 *     | 3 bits  | or       |                  |                   | server's   |
 *     |         | random   |  encrypted together, or in the clear | own bytes  |
 *     +---------+----------+------------------+-------------------+------------+
 *
 * The balancer and all servers know the same configuration; the three bits say which, so that an old and a new one can be
 * used side by side. A server whose three bits are 111 has none, and packets with its ids are spread by something else.
 *
 * Encryption hides the server from observers. Server id and nonce of 16 octets are one block of AES. Other lengths go
 * through four rounds of a Feistel network over the two halves, left and right:
 *
 *     right ^= AES(left, length, 1)      left ^= AES(right, length, 2)
 *     right ^= AES(left, length, 3)      left ^= AES(right, length, 4)
 *
 * With an odd number of octets both halves have half of the middle one: the left half has its upper four bits, the right
 * half the lower four, and the other bits of either are always 0. Rounds are undone in the opposite order; the last one is
 * not needed where the left half has the whole server id.
 *
 * AES comes from the caller, so this file needs no library. It allocates nothing.
 */

#include "wire/lb_cid.h"

#include <string.h>

#include <webtransport/error.h>

#define AES_BLOCK 16
#define HALF_MAX 10
#define ROUNDS 4

struct halves {
  uint8_t left[HALF_MAX], right[HALF_MAX];
  uint8_t len; /* of each */
  uint8_t block_len;
};

static size_t block_len(const struct wt__lb_config *config) {
  return (size_t)config->server_id_len + config->nonce_len;
}

const char *wt__lb_config_fault(const struct wt__lb_config *config) {
  if (config->config_id >= WT__LB_CONFIG_IDS) return "a configuration id is 0 to 6";
  if (config->server_id_len < WT__LB_SERVER_ID_MIN) return "a server id has at least 1 byte";
  if (config->nonce_len < WT__LB_NONCE_MIN) return "a nonce has at least 4 bytes";
  if (block_len(config) > WT__LB_BLOCK_MAX) return "server id and nonce have at most 19 bytes together";
  return NULL;
}

size_t wt__lb_cid_len(const struct wt__lb_config *config) { return 1 + block_len(config); }

unsigned wt__lb_cid_config_id(uint8_t first_octet) { return first_octet >> 5; }

static uint8_t first_octet(unsigned config_id, unsigned low_bits) {
  return (uint8_t)(config_id << 5 | (low_bits & 0x1f));
}

void wt__lb_cid_make_unroutable(uint8_t *id, size_t len) { id[0] = first_octet(WT__LB_UNROUTABLE, (unsigned)len - 1); }

static bool is_odd(const struct halves *halves) { return halves->block_len % 2; }

static void halves_clear_spare_bits(struct halves *halves) {
  if (!is_odd(halves)) return;
  halves->left[halves->len - 1] &= 0xf0;
  halves->right[0] &= 0x0f;
}

static void halves_split(struct halves *halves, const uint8_t *block, size_t len) {
  halves->block_len = (uint8_t)len;
  halves->len = (uint8_t)((len + 1) / 2);
  memcpy(halves->left, block, halves->len);
  memcpy(halves->right, block + len - halves->len, halves->len);
  halves_clear_spare_bits(halves);
}

static void halves_join(const struct halves *halves, uint8_t *block) {
  uint8_t *right = block + halves->block_len - halves->len;
  uint8_t middle = halves->left[halves->len - 1] | halves->right[0];
  memcpy(block, halves->left, halves->len);
  memcpy(right, halves->right, halves->len);
  if (is_odd(halves)) *right = middle;
}

/* Round 1 or 3 changes the right half, round 2 or 4 the left one. A second time undoes it. */
static int halves_round(struct halves *halves, const struct wt__lb_cipher *cipher, unsigned number) {
  const uint8_t *from = number % 2 ? halves->left : halves->right;
  uint8_t *to = number % 2 ? halves->right : halves->left;
  uint8_t block[AES_BLOCK] = {0};
  memcpy(block, from, halves->len);
  block[AES_BLOCK - 2] = halves->block_len;
  block[AES_BLOCK - 1] = (uint8_t)number;
  int error = cipher->encrypt(cipher->context, block, block);
  if (error) return error;
  for (size_t i = 0; i < halves->len && i < HALF_MAX; i++) to[i] ^= block[i]; /* the second: known to the compiler */
  halves_clear_spare_bits(halves);
  return 0;
}

static int block_encrypt(const struct wt__lb_cipher *cipher, uint8_t *block, size_t len) {
  struct halves halves;
  if (len == AES_BLOCK) return cipher->encrypt(cipher->context, block, block);
  halves_split(&halves, block, len);
  for (unsigned number = 1; number <= ROUNDS; number++) {
    int error = halves_round(&halves, cipher, number);
    if (error) return error;
  }
  halves_join(&halves, block);
  return 0;
}

/* The first `needed` bytes of `block` are right afterwards. */
static int block_decrypt(const struct wt__lb_cipher *cipher, uint8_t *block, size_t len, size_t needed) {
  struct halves halves;
  if (len == AES_BLOCK) return cipher->decrypt(cipher->context, block, block);
  halves_split(&halves, block, len);
  unsigned last = needed <= len / 2 ? 2 : 1;
  for (unsigned number = ROUNDS; number >= last; number--) {
    int error = halves_round(&halves, cipher, number);
    if (error) return error;
  }
  halves_join(&halves, block);
  return 0;
}

int wt__lb_cid_write(const struct wt__lb_config *config, const struct wt__lb_cipher *cipher, uint8_t first_bits,
                     const uint8_t *server_id, const uint8_t *nonce, size_t total_len, uint8_t *out) {
  if (total_len < wt__lb_cid_len(config) || total_len > WT__LB_CID_MAX) return WT_ERR_INVALID;
  out[0] = first_octet(config->config_id, config->length_in_first_octet ? (unsigned)total_len - 1 : first_bits);
  memcpy(out + 1, server_id, config->server_id_len);
  memcpy(out + 1 + config->server_id_len, nonce, config->nonce_len);
  return config->encrypted ? block_encrypt(cipher, out + 1, block_len(config)) : 0;
}

int wt__lb_cid_read(const struct wt__lb_config *config, const struct wt__lb_cipher *cipher, const uint8_t *id,
                    size_t len, uint8_t *server_id) {
  uint8_t block[WT__LB_BLOCK_MAX];
  if (len < wt__lb_cid_len(config) || wt__lb_cid_config_id(id[0]) != config->config_id) return WT_ERR_INVALID;
  memcpy(block, id + 1, block_len(config));
  if (config->encrypted) {
    int error = block_decrypt(cipher, block, block_len(config), config->server_id_len);
    if (error) return error;
  }
  memcpy(server_id, block, config->server_id_len);
  return 0;
}
