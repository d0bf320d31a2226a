/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_BACKEND_URL_H
#define WEBTRANSPORT_TOOL_GATEWAY_BACKEND_URL_H

#include "gateway/route_settings.h"

/*
 * Returns the URL that a request for `path` with `query` (both as they came) is for, at the back end of `route`. The
 * caller frees it. If the back end's URL has a path, that takes the place of the route's path; else the request's path
 * goes on as it is. NULL with 0 in `*status`: out of memory; else the status with which to refuse the request.
 */
char *backend_url(const struct route_settings *route, const char *path, const char *query, int *status);

#endif
