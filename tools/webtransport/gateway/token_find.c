/* SPDX-License-Identifier: MIT */
/*
 * Where a request has its token. Pages cannot set header fields of a session, so they use the query or a cookie; the
 * latter goes along only with the same site. A place with a token that cannot be read ends the search: the next place
 * must not make good what an earlier one has wrong.
 */
#include "gateway/token_find.h"

#include <string.h>
#include <strings.h>

static enum token_found token_copy(const char *text, size_t len, char *token, size_t size) {
  if (!len) return TOKEN_MISSING;
  if (len >= size) return TOKEN_UNREADABLE;
  memcpy(token, text, len);
  token[len] = 0;
  return TOKEN_FOUND;
}

enum token_found token_in_cookies(const char *value, const char *name, char *token, size_t size) {
  size_t name_len = strlen(name);
  for (const char *at = value; at && *at;) {
    at += strspn(at, "; \t");
    size_t len = strcspn(at, ";");
    if (len > name_len && !strncmp(at, name, name_len) && at[name_len] == '=') {
      const char *text = at + name_len + 1;
      len -= name_len + 1;
      while (len && (text[len - 1] == ' ' || text[len - 1] == '\t')) len--;
      return token_copy(text, len, token, size);
    }
    at += len;
  }
  return TOKEN_MISSING;
}

enum token_found token_in_authorization(const char *value, char *token, size_t size) {
  static const char scheme[] = "bearer";
  if (!value || strncasecmp(value, scheme, sizeof scheme - 1) != 0) return TOKEN_MISSING;
  value += sizeof scheme - 1;
  if (*value != ' ') return TOKEN_MISSING;
  value += strspn(value, " ");
  return token_copy(value, strlen(value), token, size);
}

static enum token_found token_in_query(const wt_request *request, const char *name, char *token, size_t size) {
  int error = wt_request_get_query_value(request, name, token, size);
  if (error == WT_ERR_NOT_FOUND) return TOKEN_MISSING;
  if (error) return TOKEN_UNREADABLE;
  return token[0] ? TOKEN_FOUND : TOKEN_MISSING;
}

enum token_found token_find(const wt_request *request, const struct text_list *places, char *token, size_t size) {
  enum token_found found = TOKEN_MISSING;
  for (size_t i = 0; i < places->count && found == TOKEN_MISSING; i++) {
    const char *place = places->texts[i], *name = strchr(place, ':');
    if (!name)
      found = token_in_authorization(wt_request_header(request, "authorization"), token, size);
    else if (place[0] == 'c')
      found = token_in_cookies(wt_request_header(request, "cookie"), name + 1, token, size);
    else
      found = token_in_query(request, name + 1, token, size);
  }
  return found;
}
