/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_METRICS_H
#define WEBTRANSPORT_TOOL_GATEWAY_METRICS_H

#include <webtransport/metrics.h>

#include "gateway/gateway.h"

/* Returns the metrics of all routes and of the server, to be freed by the caller. NULL: out of memory. */
char *metrics_text(const struct gateway *gateway, enum wt_metrics_format format);

#endif
