/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_AUTH_REQUEST_H
#define WEBTRANSPORT_TOOL_GATEWAY_AUTH_REQUEST_H

#include <webtransport/request.h>

#include "gateway/auth_settings.h"
#include "gateway/field_list.h"

struct http_client;
struct lookup;

/* A question to the server that says who may, and its answer. */
struct auth_request;

struct auth_answer {
  int status;               /* 200 to 499; 0: there was no answer that counts, and `why` says why */
  struct field_list fields; /* those of the answer that the gateway uses */
  const char *why;
};

/*
 * Asks about `request`. `done` is called later, once; the answer's fields are the callee's to move. NULL: it could not be
 * asked.
 */
struct auth_request *auth_request_start(struct http_client *client, struct lookup *lookup,
                                        const struct auth_settings *settings, const wt_request *request,
                                        void (*done)(struct auth_answer *answer, void *user_data), void *user_data);

/* Gives the question up. Not after `done`. */
void auth_request_cancel(struct auth_request *asked);

#endif
