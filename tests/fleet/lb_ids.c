/* SPDX-License-Identifier: MIT */

/*
 * Prints connection ids that src/wire/lb_cid.c makes, for tests/fleet/test_quic_lb.py: all legal lengths, encrypted and in
 * the clear, with and without bytes behind them. A line has, in hex where it is bytes:
 *
 *     CONFIG-ID SERVER-ID NONCE KEY|- LENGTH|BITS APPENDED|- ID
 *
 * LENGTH: "length", the first octet has the length; else the five bits that it has.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "aes_block.h"
#include "wire/lb_cid.h"

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint8_t random_byte(void) {
  random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint8_t)(random_state >> 56);
}

static void random_fill(uint8_t *data, size_t len) {
  for (size_t i = 0; i < len; i++) data[i] = random_byte();
}

static void print_hex(const uint8_t *data, size_t len) {
  if (len == 0) printf("-");
  for (size_t i = 0; i < len; i++) printf("%02x", data[i]);
  printf(" ");
}

static void print_id(const struct wt__lb_config *config, size_t total_len) {
  uint8_t server_id[WT__LB_SERVER_ID_MAX], nonce[WT__LB_NONCE_MAX], key[16], id[WT__LB_CID_MAX], bits = random_byte();
  size_t own_len = wt__lb_cid_len(config);
  random_fill(server_id, sizeof(server_id));
  random_fill(nonce, sizeof(nonce));
  random_fill(key, sizeof(key));
  random_fill(id, sizeof(id));
  struct wt__lb_cipher cipher = aes_block_cipher(key);
  if (wt__lb_cid_write(config, &cipher, bits, server_id, nonce, total_len, id)) {
    fprintf(stderr, "lb_ids: an id of %zu bytes cannot be written\n", total_len);
    exit(1);
  }
  printf("%u ", config->config_id);
  print_hex(server_id, config->server_id_len);
  print_hex(nonce, config->nonce_len);
  print_hex(key, config->encrypted ? sizeof(key) : 0);
  if (config->length_in_first_octet)
    printf("length ");
  else
    printf("%u ", bits & 31u);
  print_hex(id + own_len, total_len - own_len);
  print_hex(id, total_len);
  printf("\n");
}

int main(void) {
  unsigned count = 0;
  for (uint8_t server_id_len = 1; server_id_len <= WT__LB_SERVER_ID_MAX; server_id_len++) {
    for (uint8_t nonce_len = WT__LB_NONCE_MIN; server_id_len + nonce_len <= WT__LB_BLOCK_MAX; nonce_len++) {
      for (size_t total = 1u + server_id_len + nonce_len; total <= WT__LB_CID_MAX; total++) {
        for (unsigned kind = 0; kind < 4; kind++) {
          struct wt__lb_config config = {(uint8_t)(count++ % WT__LB_CONFIG_IDS), server_id_len, nonce_len, kind & 1,
                                         kind & 2};
          if (!wt__lb_config_fault(&config)) print_id(&config, total);
        }
      }
    }
  }
  return fflush(stdout) ? 1 : 0;
}
