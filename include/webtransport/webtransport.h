/* SPDX-License-Identifier: MIT */
/*
 * libwebtransport: WebTransport sessions and ordinary HTTP/3 from one UDP port.
 *
 * This file includes the whole public API, one header a concept:
 *
 *   version.h      which version this is
 *   error.h        every error code, its name and text
 *   log.h          the log: its levels, and the callback that gets its lines
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
 *  - Functions that can fail return 0 or a negative `enum wt_error`. Out parameters come last. After an error a handle
 *    there is NULL, a count is 0 and a text is ""; a struct is as it was.
 *  - A server or client, its requests, sessions and streams live on one thread, the one that runs the loop; server.h
 *    tells of servers with several. Only `wt_server_post`, `wt_server_shutdown`, `wt_server_close`, `wt_client_post`,
 *    `wt_client_close`, `wt_session_post`, `wt_session_worker`, and `wt_server_get_stats` of a server with several
 *    workers, may be called from others. So may what belongs to none of these: texts, names, certificates.
 *  - Callbacks are never called from inside a call that the application makes. Every call may be made
 *    inside every callback, unless its block says otherwise. There are three exceptions: any call may write to the log;
 *    `wt_upgrade` calls `check_origin`; `wt_server_free` and `wt_client_free` call what ends handles.
 *  - Every handle gets exactly one last callback, and nothing after it: a session, a stream, an exchange and a request
 *    their `on_close`, a dial its `on_done`. A request that became a session gets none.
 *  - A getter that returns a value is named after the value: `wt_session_id`, or with `is_` where it answers a question. A
 *    getter that fills what the caller passes has `get_`: `wt_session_get_stats`. A setter has `set_`.
 *  - The type of a single function that an application gives ends in `_callback`; a struct of several ends in
 *    `_callbacks`.
 *  - Where a block says "section", it means draft-ietf-webtrans-http3-16.
 */
#ifndef WEBTRANSPORT_WEBTRANSPORT_H
#define WEBTRANSPORT_WEBTRANSPORT_H

#include <webtransport/certificate.h>
#include <webtransport/client.h>
#include <webtransport/connection.h>
#include <webtransport/error.h>
#include <webtransport/log.h>
#include <webtransport/request.h>
#include <webtransport/server.h>
#include <webtransport/session.h>
#include <webtransport/stream.h>
#include <webtransport/version.h>

#endif
