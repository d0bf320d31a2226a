/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_TOKEN_SIGNATURE_H
#define WEBTRANSPORT_TOOL_GATEWAY_TOKEN_SIGNATURE_H

#include "gateway/token_keys.h"

/* Whether this program has libjwt. Without it no signature is good. */
bool token_signature_available(void);

/* Whether one of the keys has signed the token with the algorithm of the keys. */
bool token_signature_check(const char *token, const struct token_keys *keys);

#endif
