/* SPDX-License-Identifier: MIT */
/*
 * Does a request say clearly for which host it is, and from which origin it comes?
 *
 * `:authority` and `host` may both be there, and must then be the same (RFC 9114, section 4.3.1): a proxy may have checked
 * one of them, and we would use the other. Neither may be empty or carry user information.
 *
 * Some fields have one value, and RFC 9110, section 5.3 forbids to send them twice. If one comes twice anyway, a reader of
 * the first and a reader of the last see different requests. `origin` is the one that protects something here. Such requests
 * are refused, even if a proxy let them pass.
 */

#include "h3/request_check.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static enum wt__request_fault authority_check(const struct wt__fields *fields, const char **why) {
  const char *authority = wt__fields_find(fields, ":authority", NULL), *host = wt__fields_find(fields, "host", NULL);
  const char *given = authority ? authority : host;
  if (authority && host && strcasecmp(authority, host) != 0) {
    *why = "host is not the same as :authority";
    return WT__REQUEST_MALFORMED;
  }
  if (given && (*given == '\0' || strchr(given, '@'))) {
    *why = "the authority is empty, or has user information";
    return WT__REQUEST_MALFORMED;
  }
  return WT__REQUEST_SOUND;
}

/* Fields of a request that have one value. nghttp3 checks `content-length`. */
static const char *const single_names[] = {
    "origin",
    "host",
    "authorization",
    "proxy-authorization",
    "content-type",
    "range",
    "if-range",
    "if-modified-since",
    "if-unmodified-since",
    "max-forwards",
    "referer",
    "user-agent",
    "from",
    "date",
};

enum wt__request_fault wt__request_check(const struct wt__fields *fields, const char **why) {
  enum wt__request_fault fault = authority_check(fields, why);
  for (size_t i = 0; fault == WT__REQUEST_SOUND && i < sizeof(single_names) / sizeof(single_names[0]); i++) {
    const char *first = wt__fields_find(fields, single_names[i], NULL);
    if (first && wt__fields_find(fields, single_names[i], first)) {
      *why = "a field that has one value came twice";
      fault = WT__REQUEST_UNCLEAR;
    }
  }
  return fault;
}
