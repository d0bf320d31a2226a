/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_BACKEND_CLIENT_H
#define WEBTRANSPORT_TOOL_GATEWAY_BACKEND_CLIENT_H

#include <webtransport/client.h>

#include "gateway/gateway.h"

/*
 * The clients of WebTransport with which the gateway reaches its back ends. Routes that trust the same certificates share
 * one, and with it its connections.
 */

/* Makes the clients that these routes need and that are not there yet. A file of authorities that has changed is read
 * again. False: `message` says what is wrong, and the clients of before go on. */
bool backend_clients_open(struct gateway *gateway, struct route_settings *const *list, size_t count, char *message,
                          size_t size);

/* Returns the client for the back end of a route. NULL: there is none, because its kind needs none. */
wt_client *backend_client_of(const struct gateway *gateway, const struct route_settings *route);

/* Frees all. Not inside a callback of the loop. */
void backend_clients_free(struct gateway *gateway);

#endif
