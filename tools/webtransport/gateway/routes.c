/* SPDX-License-Identifier: MIT */
/*
 * The routes in use. A configuration that is read again makes a new table; sessions hold the route that they began
 * with, so the old table can go at once. What has to go on (counts, and the rate of the path) is shared by the routes
 * of one path.
 */
#include "gateway/routes.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/backend.h"

static void counts_release(struct route_counts *counts) {
  if (counts && !--counts->users) free(counts);
}

static struct route_counts *counts_of(const struct routes *before, const char *path) {
  for (size_t i = 0; before && i < before->count; i++) {
    if (strcmp(before->list[i]->settings.path, path)) continue;
    before->list[i]->counts->users++;
    return before->list[i]->counts;
  }
  struct route_counts *counts = calloc(1, sizeof *counts);
  if (counts) counts->users = 1;
  return counts;
}

void route_use(struct route *route) { route->users++; }

void route_release(struct route *route) {
  if (--route->users) return;
  lookup_release(route->lookup);
  lookup_release(route->requests_lookup);
  lookup_release(route->auth_lookup);
  token_keys_free(route->keys);
  counts_release(route->counts);
  free(route);
}

static void routes_on_name(void *user_data) {
  struct routes *routes = user_data;
  if (--routes->pending == 0) routes->ready(routes, routes->user_data);
}

static struct route *route_new(const struct route_settings *settings, const struct routes *before) {
  struct route *route = calloc(1, sizeof *route);
  if (!route) return NULL;
  route->settings = *settings;
  route->users = 1;
  route->counts = counts_of(before, settings->path);
  bool has_token = settings->auth.algorithm != TOKEN_NONE;
  if (has_token) route->keys = token_keys_new(settings->auth.algorithm, &settings->auth.keys);
  if (route->counts && (route->keys || !has_token)) return route;
  token_keys_free(route->keys);
  counts_release(route->counts);
  free(route);
  return NULL;
}

static bool name_look_up(struct routes *routes, struct uv_loop_s *loop, const struct host_port *name, int socket_type,
                         struct lookup **lookup) {
  routes->pending++;
  *lookup = lookup_new(loop, name, socket_type, routes_on_name, routes);
  return *lookup != NULL;
}

static bool names_look_up(struct routes *routes, struct uv_loop_s *loop) {
  for (size_t i = 0; i < routes->count; i++) {
    struct route *route = routes->list[i];
    const struct route_settings *settings = &route->settings;
    const struct backend_kind *kind = settings->target.kind;
    bool own = !kind->has_path && !kind->url_port; /* the client of WebTransport looks names up itself */
    if (own && !name_look_up(routes, loop, &settings->target.address, kind->has_streams ? SOCK_STREAM : SOCK_DGRAM,
                             &route->lookup))
      return false;
    if (settings->requests.text[0] &&
        !name_look_up(routes, loop, &settings->requests.address, SOCK_STREAM, &route->requests_lookup))
      return false;
    if (settings->auth.url.text[0] &&
        !name_look_up(routes, loop, &settings->auth.url.address, SOCK_STREAM, &route->auth_lookup))
      return false;
  }
  return true;
}

struct routes *routes_new(struct uv_loop_s *loop, struct route_settings *const *list, size_t count,
                          const struct routes *before, void (*ready)(struct routes *routes, void *user_data),
                          void *user_data) {
  struct routes *routes = calloc(1, sizeof *routes);
  if (!routes) return NULL;
  routes->list = calloc(count, sizeof(struct route *));
  routes->ready = ready;
  routes->user_data = user_data;
  while (routes->list && routes->count < count) {
    struct route *route = route_new(list[routes->count], before);
    if (!route) break;
    routes->list[routes->count++] = route;
  }
  routes->pending = 1; /* so that `ready` is not called before all have begun */
  if (routes->count < count || !names_look_up(routes, loop)) {
    routes->ready = NULL;
    routes_free(routes);
    return NULL;
  }
  routes_on_name(routes);
  return routes;
}

void routes_free(struct routes *routes) {
  if (!routes) return;
  while (routes->count) route_release(routes->list[--routes->count]);
  free(routes->list);
  free(routes);
}

static bool path_matches(const char *pattern, const char *path) {
  size_t len = strlen(pattern);
  return pattern[len - 1] == '/' ? !strncmp(pattern, path, len) : !strcmp(pattern, path);
}

struct route *routes_find(const struct routes *routes, const char *path) {
  struct route *found = NULL;
  for (size_t i = 0; i < routes->count; i++) {
    struct route *route = routes->list[i];
    if (!path_matches(route->settings.path, path)) continue;
    if (!found || strlen(route->settings.path) > strlen(found->settings.path)) found = route;
  }
  return found;
}
