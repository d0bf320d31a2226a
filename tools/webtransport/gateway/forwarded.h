/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_FORWARDED_H
#define WEBTRANSPORT_TOOL_GATEWAY_FORWARDED_H

#include <webtransport/request.h>

#include "gateway/header_list.h"

/*
 * Adds the header fields of a request as the back end gets them: without those of the one connection, and with those
 * that tell who the client is (RFC 7239, and x-forwarded-for, -proto, -host). What the client says about the latter is
 * dropped, or continued if `trusted`: then the client is a proxy. False: there are too many fields, or no memory.
 */
bool forwarded_request(const wt_request *request, bool trusted, struct header_list *fields);

/* Whether a field of the back end's answer may go to the client: not one of its connection, nor one that the gateway's
 * library writes itself. `name` is in lower case. */
bool forwarded_answer_passes(const char *name);

#endif
