/* SPDX-License-Identifier: MIT */
/*
 * Addresses of back ends. Each kind has its scheme (backend.h); what follows the scheme is either "//host:port" or a
 * path. Only the form is checked here: whether somebody listens shows when a session comes.
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

bool target_parse(const char *text, struct target *target, char *message, size_t size) {
  memset(target, 0, sizeof *target);
  size_t scheme = strcspn(text, ":");
  target->kind = text[scheme] ? kind_find(text, scheme) : NULL;
  if (!target->kind) return refuse_scheme(message, size);
  if (strlen(text) >= sizeof target->text) return value_refuse(message, size, "the address is too long");
  snprintf(target->text, sizeof target->text, "%s", text);
  const char *rest = text + scheme + 1;
  return target->kind->has_path ? path_parse(rest, target, message, size) : address_parse(rest, target, message, size);
}
