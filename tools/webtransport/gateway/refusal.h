/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_REFUSAL_H
#define WEBTRANSPORT_TOOL_GATEWAY_REFUSAL_H

#include "gateway/gateway.h"

/* Keeps why the request is refused until it has ended, for its line in the access log. `route` may be NULL. Without memory the
 * line does not say why. */
void refusal_keep(struct gateway *gateway, struct route *route, wt_request *request, const char *why);

#endif
