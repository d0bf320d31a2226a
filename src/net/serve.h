/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_SERVE_H
#define WT_NET_SERVE_H

/* A worker at work: sockets and time on one side, the QUIC endpoint on the other. See serve.c. */

#include <stddef.h>
#include <stdint.h>

#include <webtransport/session.h>

#include "core/mux.h"
#include "net/loop.h"

struct wt__origin;
struct wt__path;
struct wt__worker;
struct wt_server;

extern const struct wt__loop_callbacks wt__serve_callbacks; /* ctx: a wt__worker */

/* Any thread, and signal handlers. */
void wt__worker_ask(struct wt__worker *worker, unsigned what);
/* The same for all workers. */
void wt__server_ask(struct wt_server *server, unsigned what);

/* Sends CONNECTION_CLOSE to the worker's peers and ends its handles. On its thread, not inside a callback. */
void wt__worker_close(struct wt__worker *worker);

/* Closes the worker's endpoint, and takes its sockets from the loop. */
void wt__worker_close_parts(struct wt__worker *worker);

/* The `wake` of `struct wt__hub`; `ctx` is the server. Any thread. */
void wt__worker_wake(void *ctx, unsigned index);

/* The `forward` of `struct wt__endpoint_config`: takes a packet to the worker of its connection. `ctx` is the worker that
 * got it. */
void wt__worker_forward(void *ctx, unsigned to, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                        size_t len);

/* A packet that another worker or process has received. On the worker's thread. */
void wt__worker_recv(struct wt__worker *worker, size_t socket, const struct wt__origin *origin, struct wt__path *path,
                     unsigned ecn, const uint8_t *data, size_t len);

/* Waits for an end that comes by itself, or in so many milliseconds; not any more. On its thread. */
void wt__worker_begin_end(struct wt__worker *worker, uint64_t ms);
void wt__worker_undo_end(struct wt__worker *worker);

/* The `post` of `struct wt__mux_config`; `ctx` is the worker. */
int wt__worker_post(void *ctx, wt_session *session, wt__session_function function, void *argument);

#endif
