/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_HTTP_ENDPOINTS_H
#define WEBTRANSPORT_TOOL_HTTP_ENDPOINTS_H

#include <webtransport/request.h>

/* Answers with a line of text; a newline is added. */
void plain_text(wt_request *request, int status, const char *text);

/* Answers 405 with `allow` and a line of text. */
void plain_not_allowed(wt_request *request, const char *allow, const char *text);

/*
 * Reads the number `name` of the query; `fallback` if it is not there. False: it is not a number from
 * 0 to `max`, and the request was answered with 400 and a sentence.
 */
bool plain_number(wt_request *request, const char *name, uint64_t fallback, uint64_t max, uint64_t *number);

bool plain_method_is(const wt_request *request, const char *method);

/* Ordinary requests to the endpoints of the same name. */
void plain_echo(wt_request *request);   /* POST: the body comes back */
void plain_sink(wt_request *request);   /* POST: {"bytes":N} */
void plain_source(wt_request *request); /* GET: N bytes */

#endif
