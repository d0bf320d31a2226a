/* SPDX-License-Identifier: MIT */
/*
 * libwebtransport: WebTransport sessions and ordinary HTTP/3 requests on one UDP port.
 *
 * This file includes the whole public API, which has one header for each concept:
 *
 *   version.h      the version of the library
 *   error.h        all error codes, with names and texts; structs that grow
 *   log.h          the log: its levels, and the callback that gets its lines
 *   certificate.h  certificates and keys
 *   qlog.h         records of what each connection did
 *   server.h       the server: configuration, routes, start, stop
 *   fleet.h        several machines or processes: connection ids, keys, takeover
 *   request.h      a request, its answer, and `wt_upgrade`, which makes a session of it
 *   session.h      a session: streams, datagrams, close
 *   stream.h       a stream: write, end, reset, backpressure
 *   topic.h        topics: one message to many sessions
 *   client.h       the client: it dials sessions and sends plain requests
 *   connection.h   facts about the QUIC connection, for diagnosis
 *   access.h       sessions and requests at their ends, for an access log
 *   metrics.h      a server's counts as text for Prometheus
 *   backplane.h    what carries the messages of topics between servers
 *
 * These rules hold everywhere:
 *
 *  - A function that can fail returns 0 or a negative `enum wt_error`. Out parameters come last. After an error, a
 *    handle that it would have set is NULL, a count is 0 and a text is "". A struct is unchanged.
 *  - A pointer argument must not be NULL, unless the function's block allows it. If it is NULL, a function that returns
 *    an error returns WT_ERR_INVALID. Any other function does nothing, or returns 0, false, NULL or an empty text.
 *  - A getter that returns a value is named after the value: `wt_session_id`. If it answers yes or no, its name has
 *    `is_`. A getter that fills memory of the caller has `get_`: `wt_session_get_stats`. A setter has `set_`.
 *  - The type of a single function that the application gives ends in `_callback`. A struct of several such functions
 *    ends in `_callbacks`.
 *  - A server or client, and its requests, sessions and streams, belong to one thread: the thread that runs the loop.
 *    server.h describes servers with several threads. Other threads may only call `wt_server_post`,
 *    `wt_server_shutdown`, `wt_server_close`, `wt_server_set_connection_ids`, `wt_server_set_fleet_keys`,
 *    `wt_server_publish`, `wt_server_subscribers`, `wt_server_get_topic_stats`, `wt_client_post`, `wt_client_close`,
 *    `wt_session_post`, `wt_session_worker`, and, if the server has several workers,
 *    `wt_server_get_stats` and `wt_server_write_metrics`. Functions that take none of these handles may be called on any thread: texts, names,
 *    certificates.
 *  - The library calls no callback from inside a call that the application makes. There are three exceptions: any
 *    function may write to the log; `wt_upgrade` calls `check_origin`; `wt_server_free` and `wt_client_free` make the
 *    last callbacks.
 *  - Any function may be called inside any callback, unless its block says otherwise. "Any callback" in a block says
 *    so.
 *  - Each handle gets exactly one last callback, and none after it. The last callback of a session, a stream, an
 *    exchange and a request is `on_close`, that of a dial is `on_done`. A request that became a session gets no
 *    `on_close` of its own.
 *  - "Borrowed" memory belongs to the library, and the application may read it for the time that the block states.
 *    "Copied" memory belongs to the application, which may free it when the function returns.
 *  - "Section" without the name of a document means a section of draft-ietf-webtrans-http3-16.
 */
#ifndef WEBTRANSPORT_WEBTRANSPORT_H
#define WEBTRANSPORT_WEBTRANSPORT_H

#include <webtransport/access.h>
#include <webtransport/backplane.h>
#include <webtransport/certificate.h>
#include <webtransport/client.h>
#include <webtransport/connection.h>
#include <webtransport/error.h>
#include <webtransport/fleet.h>
#include <webtransport/log.h>
#include <webtransport/metrics.h>
#include <webtransport/qlog.h>
#include <webtransport/request.h>
#include <webtransport/server.h>
#include <webtransport/session.h>
#include <webtransport/stream.h>
#include <webtransport/topic.h>
#include <webtransport/version.h>

#endif
