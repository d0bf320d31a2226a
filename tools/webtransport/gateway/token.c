/* SPDX-License-Identifier: MIT */
/*
 * Judges JSON Web Tokens (RFC 7519) as RFC 8725 wants it: the algorithm is the configured one, no header parameter that
 * is critical is accepted because none is known, names that come twice are refused, and a token ends: "exp" has to be
 * there. The claims count only after the signature.
 *
 * An audience that the token names and the configuration does not is a refusal (RFC 7519, section 4.1.3). Times may be
 * fractions; they are rounded so that a token is good for longer by a second at most.
 */
#include "gateway/token.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base64.h"
#include "gateway/token_signature.h"

#define TIME_MAX 1e15 /* seconds */

/* --- The parts. --- */

struct parts {
  const char *header, *payload;
  size_t header_len, payload_len;
};

/* Three parts, none of them empty. That their characters are right shows when they are decoded. */
static bool token_split(const char *token, struct parts *parts) {
  size_t len = strnlen(token, TOKEN_MAX + 1);
  const char *first = strchr(token, '.');
  const char *second = first ? strchr(first + 1, '.') : NULL;
  if (len > TOKEN_MAX || !second || strchr(second + 1, '.') || !second[1]) return false;
  *parts = (struct parts){token, first + 1, (size_t)(first - token), (size_t)(second - first - 1)};
  return parts->header_len && parts->payload_len;
}

/* NULL: the part is no JSON object in base64. */
static json_t *part_read(const char *text, size_t len) {
  uint8_t json[TOKEN_MAX];
  size_t json_len;
  if (!base64_url_decode(text, len, json, sizeof json, &json_len)) return NULL;
  json_t *value = json_loadb((const char *)json, json_len, JSON_REJECT_DUPLICATES, NULL);
  if (json_is_object(value)) return value;
  json_decref(value);
  return NULL;
}

static bool signature_is_base64(const char *token) {
  uint8_t signature[TOKEN_MAX];
  size_t len;
  const char *text = strrchr(token, '.') + 1;
  return base64_url_decode(text, strlen(text), signature, sizeof signature, &len);
}

static bool header_check(const json_t *header, const struct token_keys *keys, const char **why) {
  const char *algorithm = json_string_value(json_object_get(header, "alg"));
  *why = "the token is signed with another algorithm than the configured one, or with none";
  if (!algorithm || strcmp(algorithm, token_algorithm_name(keys->algorithm)) != 0) return false;
  *why = "the token has critical header parameters that the gateway does not know";
  return !json_object_get(header, "crit");
}

/* --- Claims. --- */

/* False: the claim is there and is no time. `*time` stays as it was if there is no such claim. */
static bool time_get(const json_t *claims, const char *name, double *time) {
  const json_t *value = json_object_get(claims, name);
  if (!value) return true;
  if (!json_is_number(value)) return false;
  *time = json_number_value(value);
  return isfinite(*time) && *time >= 0;
}

static bool times_check(const json_t *claims, const struct token_rules *rules, int64_t now_s, int64_t *expires_s,
                        const char **why) {
  double expires = -1, begins = 0;
  *why = "the token's exp or nbf is no time, or exp is missing";
  if (!time_get(claims, "exp", &expires) || !time_get(claims, "nbf", &begins) || expires < 0) return false;
  if (expires > TIME_MAX) expires = TIME_MAX;
  *expires_s = (int64_t)ceil(expires) + rules->leeway_s;
  *why = "the token has expired";
  if (now_s >= *expires_s) return false;
  *why = "the token is not valid yet";
  return begins <= (double)now_s + (double)rules->leeway_s;
}

/* Whether the claim, a text or a list of texts, has one that `matches`. */
static bool claim_has(const json_t *claim, bool (*matches)(const char *text, const void *with), const void *with) {
  if (json_is_string(claim)) return matches(json_string_value(claim), with);
  for (size_t i = 0; i < json_array_size(claim); i++) {
    const char *text = json_string_value(json_array_get(claim, i));
    if (text && matches(text, with)) return true;
  }
  return false;
}

static bool audience_matches(const char *text, const void *with) {
  const struct token_rules *rules = with;
  for (size_t i = 0; i < rules->audiences.count; i++)
    if (!strcmp(rules->audiences.texts[i], text)) return true;
  return false;
}

static bool names_check(const json_t *claims, const struct token_rules *rules, const char **why) {
  const json_t *audience = json_object_get(claims, "aud");
  const char *issuer = json_string_value(json_object_get(claims, "iss"));
  *why = "the token is for another audience";
  if ((audience || rules->audiences.count) && !claim_has(audience, audience_matches, rules)) return false;
  *why = "the token is from another issuer";
  return !rules->issuer[0] || (issuer && !strcmp(issuer, rules->issuer));
}

bool token_path_matches(const char *pattern, const char *path) {
  size_t len = strlen(pattern);
  if (!len || pattern[0] != '/') return false;
  return pattern[len - 1] == '/' ? !strncmp(pattern, path, len) : !strcmp(pattern, path);
}

static bool pattern_matches_path(const char *text, const void *with) { return token_path_matches(text, with); }

static void user_get(const json_t *claims, const struct token_rules *rules, char *user, size_t size) {
  const char *text = json_string_value(json_object_get(claims, rules->user_claim));
  snprintf(user, size, "%s", text ? text : "");
}

static int claims_check(const json_t *claims, const struct token_rules *rules, const char *path, int64_t now_s,
                        struct token_claims *out, const char **why) {
  if (!times_check(claims, rules, now_s, &out->expires_s, why) || !names_check(claims, rules, why)) return 401;
  user_get(claims, rules, out->user, sizeof out->user);
  if (!rules->path_claim[0]) return 0;
  *why = "the token is not for this path";
  return claim_has(json_object_get(claims, rules->path_claim), pattern_matches_path, path) ? 0 : 403;
}

int token_check(const char *token, const struct token_keys *keys, const struct token_rules *rules, const char *path,
                int64_t now_s, struct token_claims *claims, const char **why) {
  struct parts parts;
  int status = 401;
  memset(claims, 0, sizeof *claims);
  *why = "the token is no JSON Web Token, or too long";
  if (!token_split(token, &parts) || !signature_is_base64(token)) return status;
  json_t *header = part_read(parts.header, parts.header_len), *payload = part_read(parts.payload, parts.payload_len);
  if (header && payload && header_check(header, keys, why)) {
    *why = "the token's signature is wrong";
    if (token_signature_check(token, keys)) status = claims_check(payload, rules, path, now_s, claims, why);
  }
  json_decref(header);
  json_decref(payload);
  return status;
}
