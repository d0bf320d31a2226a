/* SPDX-License-Identifier: MIT */

/*
 * Tokens of an Initial. Bytes that the server did not seal prove nothing. A token of the server's proves the address, and
 * one of which anything was changed does not.
 *
 *   first byte   bit 0: a token of Retry; bit 1: the input is the token; else the input, as it goes, is XORed to one of ours
 */

#include "fuzz.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "quic/endpoint_keys.h"

#define NOW (1000 * WT__NS_PER_S)

static const struct wt__token_key key = {.secret = {1, 2, 3}};
static const struct wt__token_time when = {NOW, WT__TOKEN_CLOCK_TOLERANCE};

static bool is_proof(enum wt__token_verdict verdict) {
  return verdict == WT__TOKEN_RETRY || verdict == WT__TOKEN_REGULAR;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = 7, .sin_addr = {9}};
  const struct wt__token_address client = {(const struct sockaddr *)&address, sizeof(address)};
  const ngtcp2_cid scid = {.datalen = 18}, odcid = {.datalen = 8};
  uint8_t token[WT__TOKEN_MAX_LEN];
  ngtcp2_cid found;
  if (size == 0) return 0;
  uint8_t how = *data++;
  size--;
  if (how & 2) {
    FUZZ_CHECK(!is_proof(wt__token_verify(&key, data, size, NGTCP2_PROTO_VER_V1, client, &scid, &found, when)));
    return 0;
  }
  size_t len = how & 1 ? wt__token_retry(&key, token, NGTCP2_PROTO_VER_V1, client, &scid, &odcid, NOW)
                       : wt__token_regular(&key, token, client, NOW);
  FUZZ_CHECK(len > 0);
  bool changed = false;
  for (size_t i = 0; i < size && i < len; i++) {
    token[i] ^= data[i];
    if (data[i]) changed = true;
  }
  enum wt__token_verdict verdict = wt__token_verify(&key, token, len, NGTCP2_PROTO_VER_V1, client, &scid, &found, when);
  FUZZ_CHECK(is_proof(verdict) != changed);
  return 0;
}
