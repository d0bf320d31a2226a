/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_CONNECTION_H
#define WEBTRANSPORT_TOOL_GATEWAY_CONNECTION_H

#include <webtransport/stream.h>

#include "gateway/gateway_session.h"

/* A connection to a back end that carries the bytes of one stream. */
struct connection;

/* Connects, and carries bytes from then on. It ends by itself with the stream. `list` is where it is linked. */
void connection_open(struct gateway_session *session, wt_stream *stream, struct connection **list);

/* Calls `connection_tick` of each in the list. */
void connections_tick(struct connection *list, uint64_t now_ms);

#endif
