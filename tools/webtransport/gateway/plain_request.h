/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_PLAIN_REQUEST_H
#define WEBTRANSPORT_TOOL_GATEWAY_PLAIN_REQUEST_H

#include "gateway/gateway.h"
#include "gateway/identity.h"

enum {
  PLAIN_BODY_MAX = 65536,   /* bytes of a request's body that wait for the back end */
  PLAIN_ANSWER_MAX = 65536, /* bytes of an answer that wait for the client, beside its stream's queue */
};

/* A request that is no session, on its way to a back end of HTTP. */
struct plain_request;

/* Passes the request on. Returns 0, or the status with which to refuse it; `*why` is a sentence then. Takes the contents
 * of `identity`. */
int plain_request_begin(struct gateway *gateway, struct route *route, wt_request *request, struct identity *identity,
                        const char **why);

/* Ends requests on which nothing has moved for too long. */
void plain_requests_tick(struct gateway *gateway, uint64_t now_ms);

#endif
