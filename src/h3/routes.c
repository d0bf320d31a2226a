/* SPDX-License-Identifier: MIT */
/*
 * Routes: an array that is searched from end to end.
 *
 * A server has a handful of routes, and a comparison of a few short strings costs less than the header
 * section of the request it is for; so no trie. A pattern that ends in '/' fits every path that begins
 * with it; any other fits that path alone. The longest fitting pattern wins, which makes the order of
 * registration irrelevant. An exact pattern is always longer than a prefix that fits the same path, or
 * equal to it.
 */

#include "h3/routes.h"

#include <string.h>

#include "base/mem.h"

void wt__routes_init(struct wt__routes *routes) { memset(routes, 0, sizeof(*routes)); }

static void route_drop_user_data(struct wt__route *route) {
  if (route->free_user_data) route->free_user_data(route->user_data);
}

void wt__routes_free(struct wt__routes *routes) {
  for (size_t i = 0; i < routes->len; i++) {
    route_drop_user_data(&routes->routes[i]);
    wt__free(routes->routes[i].counts);
  }
  wt__free(routes->routes);
  memset(routes, 0, sizeof(*routes));
}

static struct wt__route *route_of_pattern(struct wt__routes *routes, const char *pattern) {
  for (size_t i = 0; i < routes->len; i++) {
    if (strcmp(routes->routes[i].pattern, pattern) == 0) return &routes->routes[i];
  }
  return NULL;
}

static struct wt__route *route_add(struct wt__routes *routes, const char *pattern) {
  struct wt__route *route;
  struct wt__route_counts *counts;
  size_t len = strlen(pattern);
  if (routes->len == routes->cap) {
    size_t cap = routes->cap ? routes->cap * 2 : 8;
    struct wt__route *all = wt__realloc(routes->routes, cap * sizeof(*all));
    if (!all) return NULL;
    routes->routes = all;
    routes->cap = cap;
  }
  counts = wt__calloc(1, sizeof(*counts) + len + 1);
  if (!counts) return NULL;
  route = &routes->routes[routes->len++];
  memset(route, 0, sizeof(*route));
  route->counts = counts;
  route->pattern = (char *)(counts + 1);
  memcpy(route->pattern, pattern, len + 1);
  route->len = len;
  return route;
}

int wt__routes_set(struct wt__routes *routes, const char *pattern, wt_handler_callback handler, void *user_data,
                   void (*free_user_data)(void *user_data)) {
  struct wt__route *route;
  if (!pattern || pattern[0] != '/' || !handler) return WT_ERR_INVALID;
  route = route_of_pattern(routes, pattern);
  if (route) {
    route_drop_user_data(route);
  } else if (!(route = route_add(routes, pattern))) {
    return WT_ERR_NOMEM;
  }
  route->handler = handler;
  route->user_data = user_data;
  route->free_user_data = free_user_data;
  return 0;
}

static bool route_fits(const struct wt__route *route, const char *path, size_t len) {
  if (len < route->len || memcmp(path, route->pattern, route->len) != 0) return false;
  return len == route->len || route->pattern[route->len - 1] == '/';
}

const struct wt__route *wt__routes_find(const struct wt__routes *routes, const char *path) {
  const struct wt__route *best = NULL;
  size_t len = strlen(path);
  for (size_t i = 0; i < routes->len; i++) {
    const struct wt__route *route = &routes->routes[i];
    if (route_fits(route, path, len) && (!best || route->len > best->len)) best = route;
  }
  return best;
}
