/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_ENDPOINTS_H
#define WEBTRANSPORT_TOOL_ENDPOINTS_H

#include <webtransport/server.h>

#include "common/hosts.h"
#include "serve/recorder.h"
#include "serve/report.h"

enum {
  ENDPOINT_ROUTES = 8
};

struct endpoints;
struct tick_clock;
struct topics;

/* The handler of a path. It is called if the request's host is ours. */
struct endpoint_route {
  wt_handler_callback handler;
  struct endpoints *endpoints;
};

/* What all endpoints need. It is the user data of their handlers. */
struct endpoints {
  struct recorder *recorder;
  const struct site *site;
  const char *const *protocols; /* subprotocols that sessions accept */
  size_t protocol_count;
  const char *www;     /* folder of the pages, or NULL for the page built in */
  struct hosts *hosts; /* the hosts whose requests are served */
  struct tick_clock *tick_clock;
  struct topics *topics; /* NULL: there are none */
  struct endpoint_route routes[ENDPOINT_ROUTES];
};

/* The paths of the built-in endpoints, ended by NULL. */
extern const char *const endpoint_paths[];

/* Adds all routes to `server`; `endpoints` must outlive it. Returns 0 or an error of the library. */
int endpoints_add(wt_server *server, struct endpoints *endpoints);

/* Each accepts or refuses the session that `request` asks for. */
void echo_accept(wt_request *request, const struct endpoints *endpoints);
void sink_accept(wt_request *request, const struct endpoints *endpoints);
void source_accept(wt_request *request, const struct endpoints *endpoints);
void tick_accept(wt_request *request, const struct endpoints *endpoints);
void topic_accept(wt_request *request, const struct endpoints *endpoints);
void close_accept(wt_request *request, const struct endpoints *endpoints);

#endif
