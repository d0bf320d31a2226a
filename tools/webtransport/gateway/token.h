/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_TOKEN_H
#define WEBTRANSPORT_TOOL_GATEWAY_TOKEN_H

#include "gateway/text_list.h"
#include "gateway/token_keys.h"

enum {
  TOKEN_MAX = 8192, /* bytes of a token */
  TOKEN_NAME_SIZE = 64,
  TOKEN_TEXT_SIZE = 256,
};

/* What a route asks of a token, beside its signature. */
struct token_rules {
  struct text_list audiences;       /* none: tokens must name none */
  char issuer[TOKEN_TEXT_SIZE];     /* "": any */
  char path_claim[TOKEN_NAME_SIZE]; /* the claim that has a path, or a list of paths; "": none is asked for */
  char user_claim[TOKEN_NAME_SIZE]; /* the claim that names the user */
  int64_t leeway_s;                 /* by how much clocks may differ */
};

/* What a good token says. */
struct token_claims {
  int64_t expires_s; /* Unix time from which on it is not good any more, with the leeway */
  char user[TOKEN_TEXT_SIZE];
};

/*
 * Judges a token for a request at `path`. Returns 0, or the status of the refusal: 401 if the token is not good, 403 if
 * it is good for other paths. `*why` is a sentence then, which has nothing of the token in it.
 */
int token_check(const char *token, const struct token_keys *keys, const struct token_rules *rules, const char *path,
                int64_t now_s, struct token_claims *claims, const char **why);

/* Whether a path of a token is for a request at `path`: it is the same, or ends in '/' and `path` begins with it. */
bool token_path_matches(const char *pattern, const char *path);

#endif
