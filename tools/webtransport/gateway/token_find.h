/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_TOKEN_FIND_H
#define WEBTRANSPORT_TOOL_GATEWAY_TOKEN_FIND_H

#include <webtransport/request.h>

#include "gateway/text_list.h"

enum token_found {
  TOKEN_FOUND,
  TOKEN_MISSING,
  TOKEN_UNREADABLE, /* too large, or its encoding is broken */
};

/* Copies the token of a request to `token`: from the first of the places ("cookie:NAME") that has one. */
enum token_found token_find(const wt_request *request, const struct text_list *places, char *token, size_t size);

/* The parts of it: the value of a cookie, and what follows "Bearer " in a field. `value` may be NULL. */
enum token_found token_in_cookies(const char *value, const char *name, char *token, size_t size);
enum token_found token_in_authorization(const char *value, char *token, size_t size);

#endif
