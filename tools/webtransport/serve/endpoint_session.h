/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_ENDPOINT_SESSION_H
#define WEBTRANSPORT_TOOL_ENDPOINT_SESSION_H

#include <webtransport/request.h>
#include <webtransport/server.h>

#include "serve/hosts.h"
#include "serve/recorder.h"
#include "serve/report.h"

enum {
  ENDPOINT_ROUTES = 6
};

struct endpoints;

/* A handler, behind the check of the request's host. */
struct endpoint_route {
  wt_handler_callback handler;
  struct endpoints *endpoints;
};

/* What every endpoint needs; the user data of their handlers. */
struct endpoints {
  struct recorder *recorder;
  const struct site *site;
  const char *const *protocols; /* subprotocols that sessions speak */
  size_t protocol_count;
  const char *www;     /* folder of the pages, or NULL for the page built in */
  struct hosts *hosts; /* whose requests are served */
  struct endpoint_route routes[ENDPOINT_ROUTES];
};

/* A session at an endpoint. The first member of the endpoint's own state. */
struct visit {
  struct recorder *recorder;
  struct recorded_end resets[RECORDER_ENDS], stops[RECORDER_ENDS];
  uint64_t reset_count, stop_count; /* all, also those that were not kept */
};

/*
 * Accepts the session, with `visit`, which is the caller's and all zero, as its user data. On failure
 * `request` is answered, NULL returned, and `visit` can be freed.
 */
wt_session *visit_open(struct visit *visit, const struct endpoints *endpoints, wt_request *request,
                       const struct wt_session_callbacks *callbacks);

/* Records the end of the session; to be called in its `on_close`. */
void visit_end(struct visit *visit, wt_session *session, const struct wt_close_info *info);

/* Records what the peer did to a stream. */
void visit_reset(struct visit *visit, const struct wt_stream_error *error);
void visit_stop(struct visit *visit, const struct wt_stream_error *error);

/* The code to pass on for `error`; 0 where it has none. */
uint32_t visit_code(const struct wt_stream_error *error);

#endif
