/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_METRICS_H
#define WEBTRANSPORT_TOOL_GATEWAY_METRICS_H

#include "gateway/gateway.h"

/* Returns the counts of all routes in Prometheus' format, to be freed by the caller. NULL: out of memory. */
char *metrics_text(const struct gateway *gateway);

#endif
