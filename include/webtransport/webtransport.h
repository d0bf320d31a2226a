/* SPDX-License-Identifier: MIT */
/*
 * libwebtransport: WebTransport sessions and ordinary HTTP/3 from one UDP port.
 *
 * This file includes the whole public API, one header a concept:
 *
 *   version.h      which version this is
 *   error.h        every error code, its name and text
 *   certificate.h  certificates and keys
 *   server.h       the server: configuration, routes, start, stop
 *   request.h      a request, its answer, and `wt_upgrade`, which makes it a session
 *   session.h      a session: streams, datagrams, close
 *   stream.h       a stream: write, end, reset, backpressure
 *   client.h       the client: sessions that are asked for, plain requests
 *   connection.h   what is known of the connection below, for diagnosis
 *
 * Rules that hold everywhere:
 *
 *  - Functions return 0 or a negative `enum wt_error`; out parameters come last and are set only on 0.
 *  - A server or client, its requests, sessions and streams live on one thread, the one that runs the loop; server.h
 *    tells of servers with several. Only `wt_server_post`, `wt_server_shutdown`, `wt_server_close`, `wt_client_post`,
 *    `wt_client_close` and `wt_session_post` may be called from others.
 *  - Callbacks are never called from inside a call that the application makes. Every call may be made
 *    inside every callback, unless its block says otherwise.
 *  - Every handle gets exactly one `on_close`, and nothing after it.
 *  - Where a block says "section", it means draft-ietf-webtrans-http3-16.
 */
#ifndef WEBTRANSPORT_WEBTRANSPORT_H
#define WEBTRANSPORT_WEBTRANSPORT_H

#include <webtransport/certificate.h>
#include <webtransport/client.h>
#include <webtransport/connection.h>
#include <webtransport/error.h>
#include <webtransport/request.h>
#include <webtransport/server.h>
#include <webtransport/session.h>
#include <webtransport/stream.h>
#include <webtransport/version.h>

#endif
