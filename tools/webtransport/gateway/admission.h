/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_ADMISSION_H
#define WEBTRANSPORT_TOOL_GATEWAY_ADMISSION_H

#include "gateway/gateway.h"

/*
 * Finds out whether the client of `request` may use the route: by its token, and by the server that is asked. Then it
 * calls `gateway_admitted`, or refuses the request; perhaps later, and not at all if the client goes away before. `path`
 * is the plain form of the request's path.
 */
void admission_begin(struct gateway *gateway, struct route *route, wt_request *request, const char *path);

#endif
