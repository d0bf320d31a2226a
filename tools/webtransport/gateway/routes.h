/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_ROUTES_H
#define WEBTRANSPORT_TOOL_GATEWAY_ROUTES_H

#include "gateway/codes.h"
#include "gateway/lookup.h"
#include "common/rate.h"
#include "gateway/route_settings.h"

/* The counts of a path. They go on when the configuration is read again. "In" is from clients. */
struct route_counts {
  uint64_t sessions_open, sessions_total, sessions_refused;
  uint64_t auth_open;                                      /* requests that wait for the authorization server */
  uint64_t auth_refused;                                   /* for their token, or by the server */
  uint64_t auth_failed;                                    /* because there was no answer */
  uint64_t requests_open, requests_total, requests_failed; /* that are no sessions */
  uint64_t streams_open, streams_total, streams_refused;
  uint64_t ends[CODE_COUNT]; /* of connections that the gateway or the back end ended early, by code */
  uint64_t bytes_in, bytes_out;
  uint64_t datagrams_in, datagrams_out;
  uint64_t datagrams_dropped;   /* no room, over the rate, or no use for datagrams */
  uint64_t datagrams_too_large; /* in either direction */
  uint64_t datagrams_refused;   /* the back end's host said that nobody listens */
  uint64_t backend_rtt_us;      /* to the back end, of the session that ended last */
  struct rate rate;

  unsigned users;
};

/* A route that sessions use. It lives until the last of them has ended. */
struct route {
  struct route_settings settings;
  struct route_counts *counts;
  struct lookup *lookup;          /* NULL: the back end is a path or a URL */
  struct lookup *requests_lookup; /* NULL: no requests are passed on */
  struct lookup *auth_lookup;     /* of the server that is asked; NULL: none is */
  struct token_keys *keys;        /* NULL: no token is asked for */
  unsigned users;
};

struct routes {
  struct route **list;
  size_t count;
  size_t pending; /* names that are not looked up yet */
  void (*ready)(struct routes *routes, void *user_data);
  void *user_data;
};

struct uv_loop_s;

/*
 * Makes the routes of `list`, with the counts that `before` (which may be NULL) has for the same paths. `ready` is
 * called once, when all names were looked up, perhaps from inside this call. NULL: out of memory; `ready` is not called.
 */
struct routes *routes_new(struct uv_loop_s *loop, struct route_settings *const *list, size_t count,
                          const struct routes *before, void (*ready)(struct routes *routes, void *user_data),
                          void *user_data);

/* Takes the routes out of use. Those with sessions live on. Not before `ready`. */
void routes_free(struct routes *routes);

/* Returns the route for a path: the longest that matches. NULL: none does. Borrowed; see `route_use`. */
struct route *routes_find(const struct routes *routes, const char *path);

void route_use(struct route *route);
void route_release(struct route *route);

#endif
