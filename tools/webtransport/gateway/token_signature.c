/* SPDX-License-Identifier: MIT */
/*
 * The signature of a token, by libjwt 1.10 to 2.x; version 3 has another interface, and the build leaves it out.
 *
 * libjwt takes the algorithm from the token. So the caller has compared it with the configured one before, in a reading
 * of the header of its own, and here it is compared again, as libjwt has read it.
 */
#include "gateway/token_signature.h"

#ifdef WT_HAVE_JWT

#include <jwt.h>

#include <stddef.h>

bool token_signature_available(void) { return true; }

static jwt_alg_t algorithm_of(enum token_algorithm algorithm) {
  switch (algorithm) {
    case TOKEN_HS256: return JWT_ALG_HS256;
    case TOKEN_RS256: return JWT_ALG_RS256;
    case TOKEN_ES256: return JWT_ALG_ES256;
    default: return JWT_ALG_NONE;
  }
}

static bool key_has_signed(const char *token, const struct token_key *key, jwt_alg_t algorithm) {
  jwt_t *jwt = NULL;
  if (!key->len || jwt_decode(&jwt, token, key->bytes, (int)key->len) || !jwt) return false;
  bool good = jwt_get_alg(jwt) == algorithm;
  jwt_free(jwt);
  return good;
}

bool token_signature_check(const char *token, const struct token_keys *keys) {
  jwt_alg_t algorithm = algorithm_of(keys->algorithm);
  if (algorithm == JWT_ALG_NONE) return false;
  for (size_t i = 0; i < keys->count; i++)
    if (key_has_signed(token, &keys->keys[i], algorithm)) return true;
  return false;
}

#else

bool token_signature_available(void) { return false; }

bool token_signature_check(const char *token, const struct token_keys *keys) {
  (void)token, (void)keys;
  return false;
}

#endif
