/* SPDX-License-Identifier: MIT */
/*
 * Which pages may open sessions. A browser sends the page's origin in every request for a session, and the server
 * decides. Other clients send no origin and are accepted, because they could send any.
 *
 * Origins are compared by scheme, host and port (RFC 6454, section 5). Both are first written in one form: lower case,
 * addresses in their usual form, the port as a number. An origin that cannot be read, such as "null" of sandboxed
 * pages, equals no other and is allowed only by `any`. As an option it is refused, so that nobody believes a wildcard
 * works.
 *
 * A page is same-origin if its origin equals the request's authority. The page chose that authority; the comparison is
 * safe only because requests for hosts that are not ours are refused before (hosts.h).
 */
#include "common/origins.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/hosts.h"

enum {
  SCHEME_SIZE = 32
};

static bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* Reads the scheme before "://" into `scheme`, in lower case. Returns what follows, or NULL. */
static const char *scheme_parse(const char *text, char scheme[SCHEME_SIZE]) {
  size_t len = 0;
  for (; is_alpha(text[len]) || (len && text[len] && strchr("0123456789+-.", text[len])); len++) {
    if (len + 1 == SCHEME_SIZE) return NULL;
    scheme[len] = text[len];
    if (scheme[len] >= 'A' && scheme[len] <= 'Z') scheme[len] = (char)(scheme[len] - 'A' + 'a');
  }
  scheme[len] = 0;
  return len && !strncmp(text + len, "://", 3) ? text + len + 3 : NULL;
}

static uint16_t scheme_port(const char *scheme) {
  if (!strcmp(scheme, "https")) return 443;
  return !strcmp(scheme, "http") ? 80 : 0;
}

/* Writes the form that is compared: "https://example.com:443". False: `scheme` and `authority` are no origin. */
static bool origin_write(const char *scheme, const char *authority, char out[ORIGIN_SIZE]) {
  char address[INET6_ADDRSTRLEN];
  struct host host;
  uint16_t port;
  if (!authority_parse(authority, &host, &port)) return false;
  if (!port) port = scheme_port(scheme);
  if (host.is_address && !inet_ntop(AF_INET6, host.address, address, sizeof address)) return false;
  int len = snprintf(out, ORIGIN_SIZE, "%s://%s:%u", scheme, host.is_address ? address : host.name, port);
  return len > 0 && len < ORIGIN_SIZE;
}

static bool origin_parse(const char *text, char out[ORIGIN_SIZE]) {
  char scheme[SCHEME_SIZE];
  const char *authority = scheme_parse(text, scheme);
  return authority && origin_write(scheme, authority, out);
}

const char *origins_add(struct origins *origins, const char *text) {
  char origin[ORIGIN_SIZE];
  if (!strcmp(text, "any")) {
    origins->any = true;
    return NULL;
  }
  if (!origin_parse(text, origin)) {
    const char *host = strstr(text, "://");
    if (host && strchr(host + 3, '*')) return "an origin has no wildcards: name each, or any";
    if (host && strpbrk(host + 3, "/?#@")) return "an origin has only scheme, host and port: no path, not even a '/'";
    return "expected an origin such as https://example.com or http://localhost:3000, or any";
  }
  if (origins->count == ORIGINS_MAX) return "too many origins";
  memcpy(origins->list[origins->count++], origin, sizeof origin);
  return NULL;
}

bool origins_check(const wt_request *request, void *user_data) {
  const struct origins *origins = user_data;
  const char *origin = wt_request_origin(request);
  char asked[ORIGIN_SIZE], own[ORIGIN_SIZE];
  if (!origin || origins->any) return true;
  if (!origin_parse(origin, asked)) return false;
  for (size_t i = 0; i < origins->count; i++)
    if (!strcmp(asked, origins->list[i])) return true;
  return !origins->chosen && origin_write("https", wt_request_authority(request), own) && !strcmp(asked, own);
}
