/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_HTTP_ENDPOINTS_H
#define WEBTRANSPORT_TOOL_HTTP_ENDPOINTS_H

#include <webtransport/request.h>

/* Answer ordinary requests to the endpoints of these names. */
void http_echo(wt_request *request);   /* POST: the body comes back */
void http_sink(wt_request *request);   /* POST: {"bytes":N} */
void http_source(wt_request *request); /* GET: N bytes */

#endif
