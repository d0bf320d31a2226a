/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_HTTP_CLIENT_H
#define WEBTRANSPORT_TOOL_GATEWAY_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/http_url.h"

struct uv_loop_s;
struct lookup;

/*
 * HTTP requests of the gateway, by libcurl on the gateway's loop. Nothing here waits. Everything that is specific to one
 * request is set on libcurl's handle (http_transfer.h).
 */
struct http_client;

/* Whether this program has libcurl. */
bool http_client_available(void);

/* NULL: out of memory, or libcurl is not there. */
struct http_client *http_client_new(struct uv_loop_s *loop);

/* Ends it; all transfers were stopped before. The loop has to turn once more. NULL is allowed. */
void http_client_free(struct http_client *client);

#endif
