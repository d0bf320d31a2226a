/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_AUTH_SETTINGS_H
#define WEBTRANSPORT_TOOL_GATEWAY_AUTH_SETTINGS_H

#include "common/options.h"
#include "gateway/http_url.h"
#include "gateway/text_list.h"
#include "gateway/token.h"

/* Who may use a route, beyond its origins. It has no pointers, so it can be copied. */
struct auth_settings {
  /* The server that is asked. */
  struct http_url url;               /* its text is "" if none is asked */
  bool url_given, algorithm_given;   /* perhaps as "none" */
  char ca_file[TEXT_SIZE];           /* "": the authorities that the system trusts */
  struct text_list request_headers;  /* of the client, that it gets */
  struct text_list response_headers; /* of its answer, that the back end gets */
  char user_header[TOKEN_NAME_SIZE]; /* of its answer: who the user is */
  uint64_t timeout_ms, max_requests;

  /* The token. */
  enum token_algorithm algorithm;
  struct text_list keys;   /* files */
  struct text_list places; /* "authorization", "cookie:NAME", "query:NAME" */
  struct token_rules rules;
};

/* The members of a route that are about this; their functions get a struct route_settings. */
#define AUTH_MEMBERS                                                                                                \
  {.name = "auth-request", .argument = "URL", .help = "Asks a server who may.", .set = set_auth_request},           \
      {.name = "auth-request-ca", .argument = "FILE", .help = "Whom to trust for it.", .set = set_auth_request_ca}, \
      {.name = "auth-request-header",                                                                               \
       .argument = "NAME",                                                                                          \
       .repeatable = true,                                                                                          \
       .help = "What it gets of the request.",                                                                      \
       .set = set_auth_request_header},                                                                             \
      {.name = "auth-response-header",                                                                              \
       .argument = "NAME",                                                                                          \
       .repeatable = true,                                                                                          \
       .help = "What the back end gets of it.",                                                                     \
       .set = set_auth_response_header},                                                                            \
      {.name = "auth-user-header", .argument = "NAME", .help = "Who the user is.", .set = set_auth_user_header},    \
      {.name = "auth-timeout", .argument = "TIME", .help = "Of its answer.", .set = set_auth_timeout},              \
      {.name = "auth-max-requests", .argument = "N", .help = "Questions at once.", .set = set_auth_max_requests},   \
      {.name = "jwt-algorithm", .argument = "NAME", .help = "Asks for a token.", .set = set_jwt_algorithm},         \
      {.name = "jwt-key", .argument = "FILE", .repeatable = true, .help = "What verifies it.", .set = set_jwt_key}, \
      {.name = "jwt-from", .argument = "PLACE", .repeatable = true, .help = "Where it is.", .set = set_jwt_from},   \
      {.name = "jwt-audience",                                                                                      \
       .argument = "NAME",                                                                                          \
       .repeatable = true,                                                                                          \
       .help = "Who it is for.",                                                                                    \
       .set = set_jwt_audience},                                                                                    \
      {.name = "jwt-issuer", .argument = "NAME", .help = "Who has made it.", .set = set_jwt_issuer},                \
      {.name = "jwt-path-claim", .argument = "NAME", .help = "Which paths it is for.", .set = set_jwt_path_claim},  \
      {.name = "jwt-user-claim", .argument = "NAME", .help = "Who the user is.", .set = set_jwt_user_claim}, {      \
    .name = "jwt-leeway", .argument = "TIME", .help = "By how much clocks differ.", .set = set_jwt_leeway           \
  }

bool set_auth_request(void *target, const char *value, char *message, size_t size);
bool set_auth_request_ca(void *target, const char *value, char *message, size_t size);
bool set_auth_request_header(void *target, const char *value, char *message, size_t size);
bool set_auth_response_header(void *target, const char *value, char *message, size_t size);
bool set_auth_user_header(void *target, const char *value, char *message, size_t size);
bool set_auth_timeout(void *target, const char *value, char *message, size_t size);
bool set_auth_max_requests(void *target, const char *value, char *message, size_t size);
bool set_jwt_algorithm(void *target, const char *value, char *message, size_t size);
bool set_jwt_key(void *target, const char *value, char *message, size_t size);
bool set_jwt_from(void *target, const char *value, char *message, size_t size);
bool set_jwt_audience(void *target, const char *value, char *message, size_t size);
bool set_jwt_issuer(void *target, const char *value, char *message, size_t size);
bool set_jwt_path_claim(void *target, const char *value, char *message, size_t size);
bool set_jwt_user_claim(void *target, const char *value, char *message, size_t size);
bool set_jwt_leeway(void *target, const char *value, char *message, size_t size);

void auth_settings_default(struct auth_settings *settings);

/* Marks what a route has from the defaults. */
void auth_settings_inherit(struct auth_settings *settings);

/* Checks what members say together, and that the files of keys can be used. */
bool auth_settings_finish(const struct auth_settings *settings, char *message, size_t size);

#endif
