/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_GATEWAY_H
#define WEBTRANSPORT_TOOL_GATEWAY_GATEWAY_H

#include <stdatomic.h>

#include <uv.h>

#include <webtransport/server.h>

#include "gateway/access_log.h"
#include "gateway/blocks.h"
#include "gateway/gateway_settings.h"
#include "gateway/outgoing.h"
#include "gateway/peers.h"
#include "gateway/routes.h"

enum {
  GATEWAY_BUFFER_SIZE = 65536,  /* no datagram is larger */
  GATEWAY_STREAM_QUEUE = 65536, /* bytes of a stream that wait to be sent; more, if more is in flight */
};

struct backend_client;
struct gateway_session;
struct http_client;
struct identity;
struct plain_request;

/* What the gateway's parts share. All of it belongs to the thread of the loop. */
struct gateway {
  uv_loop_t loop;
  uv_timer_t timer;
  uv_prepare_t turn_end;
  uv_idle_t again; /* while it is active, the loop does not wait */
  wt_server *server;
  atomic_bool draining; /* it ends; set on the thread for signals */
  struct hosts *hosts;
  struct routes *routes;
  struct http_client *http_client; /* NULL: without libcurl */
  const struct route *asked;       /* the route of the request that is being accepted, for its origins */
  struct peers peers;
  struct access_log access_log;
  struct gateway_session *sessions;
  struct plain_request *plain_requests;
  struct gather gather;
  struct blocks blocks;
  struct backend_client *clients;      /* for back ends that are servers of WebTransport */
  uint64_t requests_refused;           /* without a route, or not for a session */
  uint8_t buffer[GATEWAY_BUFFER_SIZE]; /* for a datagram on its way; nothing stays in it */
};

/* Something waits for a short time: calls the sessions' `tick` soon. */
void gateway_hurry(struct gateway *gateway);

/* The time of the loop, in milliseconds. */
uint64_t gateway_now(const struct gateway *gateway);

/* Answers a request with an error and the sentence `why`, and counts and logs that. `route` may be NULL. */
void gateway_refuse(struct gateway *gateway, struct route *route, wt_request *request, int status, const char *why,
                    const struct wt_header *headers, size_t header_count);

/* The client may use the route: begins what it asks for. Takes the contents of `identity` over. */
void gateway_admitted(struct gateway *gateway, struct route *route, wt_request *request, struct identity *identity);

/* `wt_handler_callback`: answers each request, whose user data is the gateway. */
void gateway_handle(wt_request *request, void *user_data);

/* Sets what the gateway needs of its server: its loop, its origins, and windows for streams that wait (gateway.c). */
void gateway_configure(struct gateway *gateway, struct wt_server_config *config);

/* Refuses a request, of `route` if there is one, with a sentence as its body and further header fields. */
void gateway_refuse(struct gateway *gateway, struct route *route, wt_request *request, int status, const char *why,
                    const struct wt_header *headers, size_t header_count);

/* `wt_check_origin_callback`, whose user data is the gateway. */
bool gateway_check_origin(const wt_request *request, void *user_data);

/* Begin and end what the gateway has on its loop besides sockets. It begins before the server is made, because the
 * loop calls what was started last first: a turn has to end here after it has ended for the server. */
void gateway_loop_begin(struct gateway *gateway);
void gateway_loop_end(struct gateway *gateway);

#endif
