/* SPDX-License-Identifier: MIT */
/* URLs of HTTP servers in the configuration. A port that is left out is the scheme's; a name is looked up elsewhere. */
#include "gateway/http_url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/values.h"

static bool scheme_read(const char **text, struct http_url *url) {
  if (!strncasecmp(*text, "https://", 8)) {
    url->is_https = true;
    *text += 8;
    return true;
  }
  if (strncasecmp(*text, "http://", 7) != 0) return false;
  *text += 7;
  return true;
}

/* Reads "HOST" or "HOST:PORT", which is `len` bytes long. */
static bool address_read(const char *text, size_t len, struct http_url *url, char *message, size_t size) {
  char whole[HOST_PORT_HOST_SIZE + 16];
  const char *bracket = memchr(text, ']', len);
  const char *after = bracket ? bracket : text;
  bool has_port = memchr(after, ':', len - (size_t)(after - text)) != NULL;
  if (len > HOST_PORT_HOST_SIZE) return value_refuse(message, size, "the host is too long");
  snprintf(whole, sizeof whole, "%.*s%s", (int)len, text, has_port ? "" : url->is_https ? ":443" : ":80");
  const char *wrong = host_port_parse(whole, &url->address);
  if (wrong) return value_refuse(message, size, "%s", wrong);
  return url->address.port ? true : value_refuse(message, size, "the port is 0");
}

bool http_url_parse(const char *text, bool with_path, struct http_url *url, char *message, size_t size) {
  const char *rest = text;
  memset(url, 0, sizeof *url);
  if (strlen(text) >= sizeof url->text) return value_refuse(message, size, "the URL is too long");
  if (!scheme_read(&rest, url)) return value_refuse(message, size, "expected a URL with http:// or https://");
  for (const char *at = text; *at; at++)
    if (*at <= ' ' || *at > '~') return value_refuse(message, size, "a URL has only printable ASCII, without spaces");
  size_t len = strcspn(rest, "/?#");
  if (memchr(rest, '@', len)) return value_refuse(message, size, "a URL with a user or a password is not taken");
  if (strchr(rest, '#')) return value_refuse(message, size, "a URL has no fragment here");
  if (!with_path && rest[len]) return value_refuse(message, size, "there must be nothing behind the host and port");
  if (rest[len] == '?') return value_refuse(message, size, "the URL needs a path, such as /, before its query");
  if (!address_read(rest, len, url, message, size)) return false;
  snprintf(url->text, sizeof url->text, "%s", text);
  return true;
}
