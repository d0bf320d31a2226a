/* SPDX-License-Identifier: MIT */
/*
 * Which header fields an application may send: in answers (answer.c), in requests (dial_request.c,
 * exchange_request.c).
 *
 * The names are those that HTTP/3 allows, in lower case (RFC 9114, section 4.2); the values are those that the peer
 * would accept (wire/field.h). What the library writes itself is refused where it is written.
 */

#include "h3/header_check.h"

#include <string.h>

#include "wire/field.h"

bool wt__header_name_forbidden(const char *name) {
  static const char *const forbidden[] = {"connection",        "keep-alive", "proxy-connection",
                                          "transfer-encoding", "upgrade",    "te"};
  for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
    if (strcmp(name, forbidden[i]) == 0) return true;
  }
  return false;
}

bool wt__token_valid(const char *token, bool upper) {
  static const char marks[] = "!#$%&'*+-.^_`|~";
  if (*token == '\0') return false;
  for (; *token; token++) {
    bool letter = (*token >= 'a' && *token <= 'z') || (upper && *token >= 'A' && *token <= 'Z');
    if (!letter && !(*token >= '0' && *token <= '9') && !strchr(marks, *token)) return false;
  }
  return true;
}

bool wt__header_valid(const struct wt_header *header) {
  if (!header->name || !header->value) return false;
  if (!wt__token_valid(header->name, false) || wt__header_name_forbidden(header->name)) return false;
  return wt__field_value_valid((const uint8_t *)header->value, strlen(header->value));
}

bool wt__request_header_valid(const struct wt_header *header) {
  return wt__header_valid(header) && strcmp(header->name, "host") != 0;
}
