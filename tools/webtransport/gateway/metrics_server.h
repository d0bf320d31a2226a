/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_METRICS_SERVER_H
#define WEBTRANSPORT_TOOL_GATEWAY_METRICS_SERVER_H

#include "common/host_port.h"
#include "gateway/gateway.h"

/* An HTTP/1.1 server for /metrics and /healthz, on the gateway's loop. */
struct metrics_server;

/* Opens the socket and serves. NULL: `message` says what is wrong. */
struct metrics_server *metrics_server_open(struct gateway *gateway, const struct host_port *address, char *message,
                                           size_t size);

/* Its port, which the system may have chosen. */
uint16_t metrics_server_port(const struct metrics_server *server);

/* Ends it. The loop has to run once more. NULL is allowed. */
void metrics_server_close(struct metrics_server *server);

#endif
