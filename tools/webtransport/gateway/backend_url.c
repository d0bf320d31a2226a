/* SPDX-License-Identifier: MIT */
/*
 * URLs of back ends. Only what follows the host is the client's: it can neither choose an address nor leave the path
 * that the configuration gives.
 */
#include "gateway/backend_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *backend_url(const struct route_settings *route, const char *path, const char *query, int *status) {
  const struct target *target = &route->target;
  const char *base = target->url_path ? target->text + target->url_path : "";
  size_t kept = target->url_path ? strlen(route->path) : 0;
  *status = 0;
  if (strncmp(path, route->path, kept) != 0) { /* the same path in another spelling */
    *status = 400;
    return NULL;
  }
  int origin = (int)(target->url_path ? target->url_path : strlen(target->text));
  size_t size = (size_t)origin + strlen(base) + strlen(path + kept) + strlen(query) + 2;
  char *url = malloc(size);
  if (url) snprintf(url, size, "%.*s%s%s%s%s", origin, target->text, base, path + kept, query[0] ? "?" : "", query);
  return url;
}
