/* SPDX-License-Identifier: MIT */

/*
 * Which page does a request come from, and is that us?
 *
 * A browser puts the origin of the page into each WebTransport request (RFC 6454, section 7), and the
 * server must look at it (draft section 3.2), or any page could use the cookies and the network place
 * of its visitors. The form is `scheme://host` or `scheme://host:port`, or "null" for a page that has
 * none of its own (a sandboxed frame, a file); two of those are never the same.
 *
 * This is a comparison that guards something, so it is strict: what does not parse to the last byte is
 * the same as nothing. A host is letters, digits, '-', '.' and '_', or an IPv6 address in brackets;
 * browsers have turned names of other scripts into ASCII already and write IPv6 addresses in their one
 * canonical form both in the origin and in the URL, so text can be compared with text.
 */

#include "wire/origin.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A piece of the text given. */
struct origin_span {
  const char *at;
  size_t len;
};

struct origin {
  struct origin_span scheme, host;
  int32_t port; /* the one written or the scheme's default; -1 if there is neither */
};

static char origin_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }
static bool origin_is_digit(char c) { return c >= '0' && c <= '9'; }
static bool origin_is_alpha(char c) { return origin_lower(c) >= 'a' && origin_lower(c) <= 'z'; }

static bool origin_is_scheme_char(char c) {
  return origin_is_alpha(c) || origin_is_digit(c) || c == '+' || c == '-' || c == '.';
}

static bool origin_is_host_char(char c) {
  return origin_is_alpha(c) || origin_is_digit(c) || c == '-' || c == '.' || c == '_';
}

static bool origin_is_ipv6_char(char c) {
  return origin_is_digit(c) || (origin_lower(c) >= 'a' && origin_lower(c) <= 'f') || c == ':' || c == '.';
}

static bool origin_span_equal(struct origin_span a, struct origin_span b) {
  if (a.len != b.len) return false;
  for (size_t i = 0; i < a.len; i++) {
    if (origin_lower(a.at[i]) != origin_lower(b.at[i])) return false;
  }
  return true;
}

static bool origin_span_is(struct origin_span span, const char *lower) {
  return origin_span_equal(span, (struct origin_span){lower, strlen(lower)});
}

static int32_t origin_default_port(struct origin_span scheme) {
  if (origin_span_is(scheme, "https") || origin_span_is(scheme, "wss")) return 443;
  if (origin_span_is(scheme, "http") || origin_span_is(scheme, "ws")) return 80;
  return -1;
}

/* Reads ":port" up to the end of `s`, or the end alone. */
static bool origin_parse_port(const char *s, int32_t *port) {
  if (*s == '\0') return true;
  if (*s++ != ':' || *s == '\0') return false;
  int32_t value = 0;
  for (; origin_is_digit(*s); s++) {
    value = value * 10 + (*s - '0');
    if (value > 65535) return false;
  }
  *port = value;
  return *s == '\0';
}

/* Reads "host" or "host:port", all of `s`. `port` keeps its value if none is written. */
static bool origin_parse_authority(const char *s, struct origin_span *host, int32_t *port) {
  const char *at = s;
  if (*at == '[') {
    at++;
    while (origin_is_ipv6_char(*at)) at++;
    if (*at++ != ']' || at - s < 4) return false; /* the shortest is [::] */
  } else {
    while (origin_is_host_char(*at)) at++;
  }
  *host = (struct origin_span){s, (size_t)(at - s)};
  return host->len > 0 && origin_parse_port(at, port);
}

static bool origin_parse(const char *s, struct origin *origin) {
  if (!s || !origin_is_alpha(*s)) return false;
  const char *at = s;
  while (origin_is_scheme_char(*at)) at++;
  origin->scheme = (struct origin_span){s, (size_t)(at - s)};
  origin->port = origin_default_port(origin->scheme);
  return strncmp(at, "://", 3) == 0 && origin_parse_authority(at + 3, &origin->host, &origin->port);
}

bool wt__origin_same(const char *origin, const char *authority) {
  struct origin page;
  struct origin_span host;
  int32_t port = 443;
  if (!origin_parse(origin, &page) || !origin_span_is(page.scheme, "https")) return false;
  if (!authority || !origin_parse_authority(authority, &host, &port)) return false;
  return origin_span_equal(page.host, host) && page.port == port;
}

bool wt__origin_equal(const char *a, const char *b) {
  struct origin x, y;
  if (!origin_parse(a, &x) || !origin_parse(b, &y)) return false;
  return origin_span_equal(x.scheme, y.scheme) && origin_span_equal(x.host, y.host) && x.port == y.port;
}
