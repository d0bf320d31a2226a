/* SPDX-License-Identifier: MIT */
/*
 * Which pages may open sessions here. A browser names the page's origin in every request for a session
 * and leaves the decision to the server; other clients send none and are accepted, since they could
 * send what they like.
 *
 * Origins compare as scheme, host and port (RFC 6454, section 5). Both sides are put in one form
 * first: lower case, without the scheme's default port. "null", the origin of sandboxed pages, is
 * allowed only by `any`.
 */
#include "origins.h"

#include <ctype.h>
#include <string.h>

static bool text_ends(const char *text, const char *end) {
  size_t len = strlen(text), end_len = strlen(end);
  return len >= end_len && !strcmp(text + len - end_len, end);
}

/* Writes the comparable form of `prefix``text`; false if it does not fit. */
static bool origin_normalize(const char *prefix, const char *text, char out[ORIGIN_SIZE]) {
  size_t prefix_len = strlen(prefix), len = strlen(text);
  if (prefix_len + len >= ORIGIN_SIZE) return false;
  memcpy(out, prefix, prefix_len);
  for (size_t i = 0; i <= len; i++) out[prefix_len + i] = (char)tolower((unsigned char)text[i]);
  if (!strncmp(out, "https://", 8) && text_ends(out, ":443")) out[strlen(out) - 4] = 0;
  if (!strncmp(out, "http://", 7) && text_ends(out, ":80")) out[strlen(out) - 3] = 0;
  return true;
}

const char *origins_add(struct origins *origins, const char *text) {
  if (!strcmp(text, "any")) {
    origins->any = true;
    return NULL;
  }
  const char *host = strstr(text, "://");
  if (!host || host == text || !host[3]) return "expected an origin such as https://example.com, or any";
  if (strpbrk(host + 3, "/?#@ ")) return "an origin has no path: only scheme, host and port";
  if (origins->count == ORIGINS_MAX) return "too many origins";
  if (!origin_normalize("", text, origins->list[origins->count])) return "the origin is too long";
  origins->count++;
  return NULL;
}

bool origins_check(const wt_request *request, void *user_data) {
  const struct origins *origins = user_data;
  const char *origin = wt_request_origin(request);
  char asked[ORIGIN_SIZE], own[ORIGIN_SIZE];
  if (!origin || origins->any) return true;
  if (!origin_normalize("", origin, asked)) return false;
  for (size_t i = 0; i < origins->count; i++)
    if (!strcmp(asked, origins->list[i])) return true;
  return !origins->chosen && origin_normalize("https://", wt_request_authority(request), own) && !strcmp(asked, own);
}
