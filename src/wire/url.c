/* SPDX-License-Identifier: MIT */

/*
 * URLs as programs write them (RFC 3986), of the one scheme that WebTransport knows.
 *
 *     https :// host          : port  /path?query       #fragment
 *               name             443  "/" if missing    not sent
 *               192.0.2.1
 *               [2001:db8::1]
 *
 * What is doubtful is refused, with the reason, rather than repaired: user names (they are a way to make one host
 * look like another), zones of IPv6 addresses (they mean something on one machine only), characters beyond ASCII in
 * a host (whoever writes them knows better which encoding is meant). In a path, bytes that may not stand in a
 * request as they are become %XX, as browsers do; control characters are refused, since they come from mistakes.
 *
 * It looks nothing up, and whether a name is one that DNS could know is for DNS to say.
 */

#include "wire/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <webtransport/error.h>

#include "base/mem.h"

#define SCHEME "https://"
#define DEFAULT_PORT 443

static int url_fail(const char **why, const char *text) {
  *why = text;
  return WT_ERR_ADDRESS;
}

static bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static char to_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* Only the characters are looked at; what they mean is for whoever needs the address. */
static int host_read_v6(struct wt__url *url, const char **why) {
  const char *colon = strchr(url->host, ':');
  if (strchr(url->host, '%')) return url_fail(why, "an IPv6 address with a zone cannot be used in a URL");
  if (!colon || url->host[strspn(url->host, "0123456789abcdef:.")] != '\0' || !strchr(colon + 1, ':')) {
    return url_fail(why, "what stands in brackets is no IPv6 address");
  }
  url->is_v6 = true;
  return 0;
}

static int host_read_name(const struct wt__url *url, const char **why) {
  size_t len = strlen(url->host);
  if (len == 0) return url_fail(why, "the host is missing");
  for (size_t i = 0; i < len; i++) {
    if ((unsigned char)url->host[i] >= 0x80) {
      return url_fail(why, "the host has characters beyond ASCII; write it in its \"xn--\" form");
    }
    if (!is_host_char(url->host[i])) return url_fail(why, "the host has a character that no host name has");
  }
  if (url->host[0] == '.' || strstr(url->host, "..")) return url_fail(why, "the host has an empty label");
  return 0;
}

/* All digits, 1 to 65535; an empty one is the default. */
static int port_read(struct wt__url *url, const char *text, size_t len, const char **why) {
  unsigned value = 0;
  url->port = DEFAULT_PORT;
  if (len == 0) return 0;
  for (size_t i = 0; i < len && value <= 65535; i++) {
    if (text[i] < '0' || text[i] > '9') return url_fail(why, "the port is not a number from 1 to 65535");
    value = value * 10 + (unsigned)(text[i] - '0');
  }
  if (value == 0 || value > 65535) return url_fail(why, "the port is not a number from 1 to 65535");
  url->port = (uint16_t)value;
  return 0;
}

/* Reads "host:port", the `len` bytes of `text`. */
static int authority_read(struct wt__url *url, const char *text, size_t len, const char **why) {
  bool brackets = len > 0 && text[0] == '[';
  const char *host = text, *rest, *end = text + len;
  if (memchr(text, '@', len)) return url_fail(why, "a user name cannot be given");
  if (brackets) {
    host++;
    rest = memchr(host, ']', len - 1);
    if (!rest) return url_fail(why, "brackets do not match");
  } else {
    rest = memchr(text, ':', len);
    if (!rest) rest = end;
  }
  size_t host_len = (size_t)(rest - host);
  if (host_len >= sizeof(url->host)) return url_fail(why, "the host is too long");
  for (size_t i = 0; i < host_len; i++) url->host[i] = to_lower(host[i]);
  url->host[host_len] = '\0';
  int error = brackets ? host_read_v6(url, why) : host_read_name(url, why);
  if (error) return error;
  rest += brackets;
  if (rest == end) return port_read(url, rest, 0, why);
  if (*rest != ':') return url_fail(why, "what follows the brackets is no port");
  rest++;
  if (!brackets && memchr(rest, ':', (size_t)(end - rest))) return url_fail(why, "an IPv6 address needs brackets");
  return port_read(url, rest, (size_t)(end - rest), why);
}

static int authority_write(struct wt__url *url) {
  char text[WT__URL_HOST_MAX + 16];
  const char *open = url->is_v6 ? "[" : "", *close = url->is_v6 ? "]" : "";
  int len = snprintf(text, sizeof(text), "%s%s%s", open, url->host, close);
  if (url->port != DEFAULT_PORT) snprintf(text + len, sizeof(text) - (size_t)len, ":%u", (unsigned)url->port);
  url->authority = wt__strdup(text);
  return url->authority ? 0 : WT_ERR_NOMEM;
}

/* Whether a byte may stand in a path or query as it is. Beyond RFC 3986 those that browsers leave alone. */
static bool is_path_char(unsigned char c) { return c > 0x20 && c < 0x7f && !strchr("\"<>\\^`{}", c); }

static int path_read(struct wt__url *url, const char *text, size_t len, const char **why) {
  static const char hex[] = "0123456789ABCDEF";
  url->path = wt__malloc(3 * len + 2);
  if (!url->path) return WT_ERR_NOMEM;
  size_t n = 0;
  if (len == 0 || text[0] != '/') url->path[n++] = '/';
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c < 0x20 || c == 0x7f) return url_fail(why, "the path has a control character");
    if (is_path_char(c)) {
      url->path[n++] = (char)c;
    } else {
      url->path[n++] = '%';
      url->path[n++] = hex[c >> 4];
      url->path[n++] = hex[c & 15];
    }
  }
  url->path[n] = '\0';
  return 0;
}

int wt__url_parse(struct wt__url *url, const char *text, const char **why) {
  memset(url, 0, sizeof(*url));
  if (!text || !*text) return url_fail(why, "it is empty");
  if (strnlen(text, WT__URL_MAX + 1) > WT__URL_MAX) return url_fail(why, "it is longer than 8192 bytes");
  if (strncasecmp(text, SCHEME, strlen(SCHEME)) != 0) return url_fail(why, "it does not begin with https://");
  text += strlen(SCHEME);
  size_t len = strcspn(text, "/?#");
  int error = authority_read(url, text, len, why);
  if (error == 0) error = path_read(url, text + len, strcspn(text + len, "#"), why);
  if (error == 0) error = authority_write(url);
  if (error) wt__url_free(url);
  return error;
}

void wt__url_free(struct wt__url *url) {
  wt__free(url->authority);
  wt__free(url->path);
  url->authority = url->path = NULL;
}
