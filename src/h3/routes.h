/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_ROUTES_H
#define WT_H3_ROUTES_H

/* Which handler answers which path: exact patterns, and prefixes that end in '/'; the longest wins. */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/server.h>

/* Whichever worker serves the route adds to these. They stay when the handler is replaced. */
struct wt__route_counts {
  _Atomic uint64_t requests; /* also those for sessions */
  _Atomic uint64_t sessions; /* that were accepted */
};

struct wt__route {
  char *pattern;
  struct wt__route_counts *counts; /* in the same memory as `pattern`; stays where it is until the route goes */
  size_t len;
  wt_handler_callback handler;
  void *user_data;
  void (*free_user_data)(void *user_data); /* may be NULL */
};

struct wt__routes {
  struct wt__route *routes;
  size_t len, cap;
};

void wt__routes_init(struct wt__routes *routes);
void wt__routes_free(struct wt__routes *routes);

/* Adds or replaces. `free_user_data` is called when the route goes. WT_ERR_INVALID, WT_ERR_NOMEM. */
int wt__routes_set(struct wt__routes *routes, const char *pattern, wt_handler_callback handler, void *user_data,
                   void (*free_user_data)(void *user_data));

/* The route for `path` (without its query), or NULL. */
const struct wt__route *wt__routes_find(const struct wt__routes *routes, const char *path);

#endif
