/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_RESPOND_H
#define WEBTRANSPORT_TOOL_RESPOND_H

#include <webtransport/request.h>

/* Answers with a line of text, to which a newline is added. */
void respond_text(wt_request *request, int status, const char *text);

/* Answers 405 with `allow` and a line of text. */
void respond_not_allowed(wt_request *request, const char *allow, const char *text);

/*
 * Reads the number `name` of the query, or takes `fallback` if the query has none. False: it is not a number from 0 to
 * `max`, and the request was answered with 400.
 */
bool query_number(wt_request *request, const char *name, uint64_t fallback, uint64_t max, uint64_t *number);

bool method_is(const wt_request *request, const char *method);

#endif
