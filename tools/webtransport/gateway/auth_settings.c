/* SPDX-License-Identifier: MIT */
/*
 * The members of a route that say who may use it. No default lets anybody in whom the configuration does not name: a
 * token needs its algorithm and its key, and a server that is asked has to answer with 2xx.
 */
#include "gateway/auth_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/values.h"
#include "gateway/http_client.h"
#include "gateway/route_settings.h"
#include "gateway/token_signature.h"

enum {
  TIMEOUT_MS = 5000,
  TIMEOUT_MAX_S = 60, /* a client does not wait for longer */
  MAX_REQUESTS = 100,
  MAX_REQUESTS_MAX = 10000,
  LEEWAY_S = 30,
  LEEWAY_MAX_S = 600,
};

static struct auth_settings *auth_of(void *target) { return &((struct route_settings *)target)->auth; }

static bool text_set(char *to, size_t to_size, const char *value, char *message, size_t size) {
  if (strlen(value) >= to_size) return value_refuse(message, size, "at most %zu bytes", to_size - 1);
  snprintf(to, to_size, "%s", value);
  return true;
}

/* Copies the name of a field in lower case, as HTTP/3 has it. */
static bool field_name_read(const char *value, char name[TOKEN_NAME_SIZE], char *message, size_t size) {
  size_t len = strlen(value);
  if (!value_is_token(value, len))
    return value_refuse(message, size, "expected the name of a header field, such as remote-user");
  if (len >= TOKEN_NAME_SIZE) return value_refuse(message, size, "the name is too long");
  for (size_t i = 0; i <= len; i++) name[i] = (char)tolower((unsigned char)value[i]);
  return true;
}

/* --- The server that is asked. --- */

bool set_auth_request(void *target, const char *value, char *message, size_t size) {
  struct auth_settings *auth = auth_of(target);
  auth->url_given = true;
  if (!strcmp(value, "none")) { /* of the defaults: not here */
    auth->url.text[0] = 0;
    return true;
  }
  if (!http_client_available())
    return value_refuse(message, size, "this program was built without libcurl, by which it would ask");
  return http_url_parse(value, true, &auth->url, message, size);
}

bool set_auth_request_ca(void *target, const char *value, char *message, size_t size) {
  struct auth_settings *auth = auth_of(target);
  return value_file(value, message, size) && text_set(auth->ca_file, sizeof auth->ca_file, value, message, size);
}

bool set_auth_request_header(void *target, const char *value, char *message, size_t size) {
  char name[TOKEN_NAME_SIZE];
  return field_name_read(value, name, message, size) &&
         text_list_add(&auth_of(target)->request_headers, name, message, size);
}

bool set_auth_response_header(void *target, const char *value, char *message, size_t size) {
  char name[TOKEN_NAME_SIZE];
  return field_name_read(value, name, message, size) &&
         text_list_add(&auth_of(target)->response_headers, name, message, size);
}

bool set_auth_user_header(void *target, const char *value, char *message, size_t size) {
  return field_name_read(value, auth_of(target)->user_header, message, size);
}

bool set_auth_timeout(void *target, const char *value, char *message, size_t size) {
  uint64_t ns;
  if (!value_time(value, 10 * NS_PER_MS, TIMEOUT_MAX_S * NS_PER_S, &ns, message, size)) return false;
  auth_of(target)->timeout_ms = clock_ms_up(ns);
  return true;
}

bool set_auth_max_requests(void *target, const char *value, char *message, size_t size) {
  return value_number(value, 1, MAX_REQUESTS_MAX, &auth_of(target)->max_requests, message, size);
}

/* --- The token. --- */

bool set_jwt_algorithm(void *target, const char *value, char *message, size_t size) {
  size_t index;
  if (!value_word(value, TOKEN_ALGORITHMS, &index, message, size)) return false;
  if (index && !token_signature_available())
    return value_refuse(message, size, "this program was built without libjwt, which verifies tokens");
  auth_of(target)->algorithm_given = true;
  auth_of(target)->algorithm = (enum token_algorithm)index;
  return true;
}

bool set_jwt_key(void *target, const char *value, char *message, size_t size) {
  struct text_list *keys = &auth_of(target)->keys;
  if (!value_file(value, message, size) || !text_list_add(keys, value, message, size)) return false;
  return keys->count <= TOKEN_KEYS_MAX ? true : value_refuse(message, size, "more than %d keys", TOKEN_KEYS_MAX);
}

bool set_jwt_from(void *target, const char *value, char *message, size_t size) {
  const char *colon = strchr(value, ':');
  bool good = !strcmp(value, "authorization");
  if (!strncmp(value, "cookie:", 7) || !strncmp(value, "query:", 6))
    good = value_is_token(colon + 1, strlen(colon + 1));
  if (!good) return value_refuse(message, size, "expected authorization, cookie:NAME or query:NAME");
  return text_list_add(&auth_of(target)->places, value, message, size);
}

bool set_jwt_audience(void *target, const char *value, char *message, size_t size) {
  return text_list_add(&auth_of(target)->rules.audiences, value, message, size);
}

bool set_jwt_issuer(void *target, const char *value, char *message, size_t size) {
  struct token_rules *rules = &auth_of(target)->rules;
  return text_set(rules->issuer, sizeof rules->issuer, value, message, size);
}

bool set_jwt_path_claim(void *target, const char *value, char *message, size_t size) {
  struct token_rules *rules = &auth_of(target)->rules;
  return text_set(rules->path_claim, sizeof rules->path_claim, value, message, size);
}

bool set_jwt_user_claim(void *target, const char *value, char *message, size_t size) {
  struct token_rules *rules = &auth_of(target)->rules;
  return text_set(rules->user_claim, sizeof rules->user_claim, value, message, size);
}

bool set_jwt_leeway(void *target, const char *value, char *message, size_t size) {
  uint64_t ns;
  if (!value_time(value, 0, LEEWAY_MAX_S * NS_PER_S, &ns, message, size)) return false;
  auth_of(target)->rules.leeway_s = (int64_t)(ns / NS_PER_S);
  return true;
}

/* --- The whole. --- */

void auth_settings_default(struct auth_settings *settings) {
  char message[80];
  memset(settings, 0, sizeof *settings);
  settings->timeout_ms = TIMEOUT_MS;
  settings->max_requests = MAX_REQUESTS;
  settings->rules.leeway_s = LEEWAY_S;
  snprintf(settings->user_header, sizeof settings->user_header, "remote-user");
  snprintf(settings->rules.user_claim, sizeof settings->rules.user_claim, "sub");
  text_list_add(&settings->request_headers, "authorization", message, sizeof message);
  text_list_add(&settings->request_headers, "cookie", message, sizeof message);
  text_list_add(&settings->places, "authorization", message, sizeof message);
  settings->request_headers.inherited = settings->places.inherited = true;
}

void auth_settings_inherit(struct auth_settings *settings) {
  settings->request_headers.inherited = settings->response_headers.inherited = true;
  settings->keys.inherited = settings->places.inherited = settings->rules.audiences.inherited = true;
}

static bool keys_check(const struct auth_settings *settings, char *message, size_t size) {
  struct token_key *key = calloc(1, sizeof *key);
  bool good = key != NULL;
  if (!key) return value_refuse(message, size, "out of memory");
  for (size_t i = 0; good && i < settings->keys.count; i++)
    good = token_key_read(key, settings->keys.texts[i], settings->algorithm, message, size);
  explicit_bzero(key, sizeof *key);
  free(key);
  return good;
}

/* Members without the one that turns them on would look like protection, and be none. */
static bool stray_check(const struct auth_settings *settings, char *message, size_t size) {
  bool token = settings->keys.count || settings->rules.audiences.count || settings->rules.path_claim[0];
  if (token && !settings->algorithm_given)
    return value_refuse(message, size,
                        "jwt-key, jwt-audience and jwt-path-claim have a meaning only with jwt-algorithm");
  if (settings->response_headers.count && !settings->url_given)
    return value_refuse(message, size, "auth-response-header has a meaning only with auth-request");
  return true;
}

bool auth_settings_finish(const struct auth_settings *settings, char *message, size_t size) {
  if (!stray_check(settings, message, size)) return false;
  if (settings->algorithm == TOKEN_NONE) return true;
  if (!settings->keys.count)
    return value_refuse(message, size, "jwt-algorithm needs jwt-key, the file that tokens are verified with");
  return keys_check(settings, message, size);
}
