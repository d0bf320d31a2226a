/* SPDX-License-Identifier: MIT */
/*
 * Addresses of back ends. Each kind has its scheme (backend.h); what follows the scheme is "//host:port", a path, or
 * what a URL has: "//host", perhaps with a port and a path. Only the form is checked here: whether somebody listens shows when a session comes.
 */
#include "gateway/target.h"

#include <stdio.h>
#include <string.h>

#include "common/values.h"
#include "gateway/backend.h"

static const struct backend_kind *kind_find(const char *text, size_t len) {
  for (const struct backend_kind *const *kind = backend_kinds; *kind; kind++)
    if (strlen((*kind)->scheme) == len && !strncmp((*kind)->scheme, text, len)) return *kind;
  return NULL;
}

static bool refuse_scheme(char *message, size_t size) {
  char known[128] = "";
  size_t used = 0;
  for (const struct backend_kind *const *kind = backend_kinds; *kind && used < sizeof known; kind++)
    used += (size_t)snprintf(known + used, sizeof known - used, "%s%s:", used ? ", " : "", (*kind)->scheme);
  return value_refuse(message, size, "expected a back end that begins with one of %s", known);
}

static bool path_parse(const char *text, struct target *target, char *message, size_t size) {
  if (!strncmp(text, "//", 2)) text += 2; /* "unix:///run/x" is often written */
  if (text[0] != '/') return value_refuse(message, size, "expected the whole path of a socket, such as unix:/run/x");
  if (strlen(text) >= sizeof target->path)
    return value_refuse(message, size, "the path of a socket has at most %zu bytes", sizeof target->path - 1);
  snprintf(target->path, sizeof target->path, "%s", text);
  return true;
}

static bool address_parse(const char *text, struct target *target, char *message, size_t size) {
  if (strncmp(text, "//", 2)) return value_refuse(message, size, "expected // and HOST:PORT behind the ':'");
  size_t len = strlen(text);
  if (len && text[len - 1] == '/') return value_refuse(message, size, "there must be nothing behind the port");
  const char *wrong = host_port_parse(text + 2, &target->address);
  if (wrong) return value_refuse(message, size, "%s", wrong);
  return target->address.port ? true : value_refuse(message, size, "the port is 0");
}

/* The authority is read as "host:port", with the default port if it has none. */
static bool url_parse(const char *text, struct target *target, char *message, size_t size) {
  char authority[TARGET_TEXT_SIZE + 8];
  if (strncmp(text, "//", 2)) return value_refuse(message, size, "expected // and a host behind the ':'");
  int len = (int)strcspn(text + 2, "/");
  for (const char *at = text; *at; at++)
    if (*at <= ' ' || *at > '~' || strchr("?#@\\", *at))
      return value_refuse(message, size, "a URL of a back end has a host, a port and a path alone");
  const char *end = text + 2 + len, *colon = memchr(text + 2, ':', (size_t)len),
             *bracket = memchr(text + 2, ']', (size_t)len);
  bool has_port = bracket ? bracket + 1 < end : colon != NULL;
  snprintf(authority, sizeof authority, has_port ? "%.*s" : "%.*s:%u", len, text + 2, target->kind->url_port);
  const char *wrong = host_port_parse(authority, &target->address);
  if (wrong) return value_refuse(message, size, "%s", wrong);
  if (*end) target->url_path = strlen(target->text) - strlen(end);
  return target->address.port ? true : value_refuse(message, size, "the port is 0");
}

bool target_parse(const char *text, struct target *target, char *message, size_t size) {
  memset(target, 0, sizeof *target);
  size_t scheme = strcspn(text, ":");
  target->kind = text[scheme] ? kind_find(text, scheme) : NULL;
  if (!target->kind) return refuse_scheme(message, size);
  if (strlen(text) >= sizeof target->text) return value_refuse(message, size, "the address is too long");
  snprintf(target->text, sizeof target->text, "%s", text);
  const char *rest = text + scheme + 1;
  if (target->kind->url_port) return url_parse(rest, target, message, size);
  return target->kind->has_path ? path_parse(rest, target, message, size) : address_parse(rest, target, message, size);
}
