/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_IDENTITY_H
#define WEBTRANSPORT_TOOL_GATEWAY_IDENTITY_H

#include <stdint.h>

#include "gateway/field_list.h"
#include "gateway/header_list.h"
#include "gateway/token.h"

/* What the authorization has found out about a client. All zero: nothing was asked. */
struct identity {
  uint64_t expires_ms; /* by gateway_now: when the token is not good any more; 0: never */
  char user[TOKEN_TEXT_SIZE];
  struct field_list fields; /* for the back end; they replace fields of the client */
};

/*
 * Makes the fields of a client those that the back end gets: what the authorization server says about the client replaces
 * what the client says. `reserved` are the names of such fields. False: there are too many, or no memory.
 */
bool identity_apply(const struct identity *identity, const struct text_list *reserved, struct header_list *fields);

/* Moves it; `from` can be dropped. */
void identity_move(struct identity *to, struct identity *from);
void identity_free(struct identity *identity);

#endif
