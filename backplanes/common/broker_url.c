/* SPDX-License-Identifier: MIT */

/*
 * Reads the URL of a broker: see broker_url.h.
 */

#include "broker_url.h"

#include <string.h>

#include <webtransport/error.h>

/* A piece of the text. */
struct piece {
  const char *at;
  size_t len;
};

static bool is_plain(const char *s, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] >= 0x7f) return false;
  }
  return true;
}

static bool scheme_take(struct piece *rest, const char *scheme) {
  size_t len = strlen(scheme);
  if (rest->len < len + 3 || memcmp(rest->at, scheme, len) != 0 || memcmp(rest->at + len, "://", 3) != 0) return false;
  rest->at += len + 3;
  rest->len -= len + 3;
  return true;
}

static int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* Decodes %XX. A NUL cannot be in a word. */
static bool word_read(char word[WT__BROKER_WORD_MAX], struct piece text) {
  size_t n = 0;
  for (size_t i = 0; i < text.len; i++, n++) {
    int c = (unsigned char)text.at[i];
    if (n + 1 >= WT__BROKER_WORD_MAX) return false;
    if (c == '%') {
      int high = i + 2 < text.len ? hex_value(text.at[i + 1]) : -1, low = high < 0 ? -1 : hex_value(text.at[i + 2]);
      if (i + 2 >= text.len) return false;
      if (low < 0) return false;
      c = high * 16 + low;
      i += 2;
    }
    if (c == 0) return false;
    word[n] = (char)c;
  }
  word[n] = 0;
  return true;
}

/* "user:password@", if it is there; the last '@' ends it. */
static bool user_take(struct wt__broker_url *url, struct piece *rest) {
  const char *at = memrchr(rest->at, '@', rest->len);
  if (!at) return true;
  struct piece user = {rest->at, (size_t)(at - rest->at)}, password = {at, 0};
  const char *colon = memchr(user.at, ':', user.len);
  if (colon) {
    password = (struct piece){colon + 1, (size_t)(at - colon - 1)};
    user.len = (size_t)(colon - user.at);
  }
  rest->len -= (size_t)(at + 1 - rest->at);
  rest->at = at + 1;
  return word_read(url->user, user) && word_read(url->password, password);
}

static bool copy(char *to, size_t size, struct piece from) {
  if (from.len >= size) return false;
  memcpy(to, from.at, from.len);
  to[from.len] = 0;
  return true;
}

static bool port_read(uint16_t *port, struct piece text) {
  unsigned value = 0;
  if (text.len == 0 || text.len > 5) return false;
  for (size_t i = 0; i < text.len; i++) {
    if (text.at[i] < '0' || text.at[i] > '9') return false;
    value = value * 10 + (unsigned)(text.at[i] - '0');
  }
  *port = (uint16_t)value;
  return value > 0 && value <= UINT16_MAX;
}

/* "host", "host:port", "[address]", "[address]:port". */
static bool host_read(struct wt__broker_url *url, struct piece text) {
  struct piece host = text, port = {text.at + text.len, 0};
  if (text.len > 0 && text.at[0] == '[') {
    const char *end = memchr(text.at, ']', text.len);
    if (!end) return false;
    host = (struct piece){text.at + 1, (size_t)(end - text.at - 1)};
    port = (struct piece){end + 1, (size_t)(text.at + text.len - end - 1)};
  } else {
    const char *colon = memchr(text.at, ':', text.len);
    if (colon) {
      host.len = (size_t)(colon - text.at);
      port = (struct piece){colon, (size_t)(text.at + text.len - colon)};
    }
  }
  if (host.len == 0 || !copy(url->host, sizeof(url->host), host)) return false;
  if (port.len == 0) return true;
  return port.at[0] == ':' && port_read(&url->port, (struct piece){port.at + 1, port.len - 1});
}

int wt__broker_url_read(struct wt__broker_url *url, const struct wt__broker_schemes *schemes, const char *text,
                        size_t len, const char **why) {
  struct piece rest = {text, len};
  *url = (struct wt__broker_url){.port = schemes->port};
  url->tls = scheme_take(&rest, schemes->tls);
  *why = "the URL of the broker has another scheme";
  if (!url->tls && !scheme_take(&rest, schemes->plain)) return WT_ERR_ADDRESS;
  *why = "the URL of the broker has a space, a control character or a letter beyond ASCII";
  if (!is_plain(rest.at, rest.len)) return WT_ERR_ADDRESS;
  const char *slash = memchr(rest.at, '/', rest.len);
  struct piece authority = {rest.at, slash ? (size_t)(slash - rest.at) : rest.len};
  *why = "the path of the broker's URL is too long";
  if (slash && !copy(url->path, sizeof(url->path), (struct piece){slash + 1, rest.len - authority.len - 1})) {
    return WT_ERR_ADDRESS;
  }
  *why = "user or password in the URL of the broker are not percent-encoded as they should be, or too long";
  if (!user_take(url, &authority)) return WT_ERR_ADDRESS;
  *why = "the host or port in the URL of the broker is not usable; a '/' in a password is written %2F";
  return host_read(url, authority) ? 0 : WT_ERR_ADDRESS;
}

bool wt__broker_word_set(char word[WT__BROKER_WORD_MAX], const char *text) {
  size_t len = text ? strlen(text) : 0;
  if (text && len < WT__BROKER_WORD_MAX) memcpy(word, text, len + 1);
  return len < WT__BROKER_WORD_MAX;
}
