/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_WORKERS_H
#define WT_NET_WORKERS_H

/* What the workers of a server get from each other and from outside. See workers.c. */

#include <stddef.h>
#include <stdint.h>

#include <webtransport/session.h>

#include "core/mux.h"

struct wt__origin;
struct wt__path;
struct wt__worker;
struct wt_server;

/* Tells the kernel which of the sockets gets which packet. */
void wt__server_steer(struct wt_server *server);

/* The `forward` of `struct wt__endpoint_config`: takes a packet to the worker of its connection. `ctx` is the worker that
 * got it. */
void wt__worker_forward(void *ctx, unsigned to, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                        size_t len);

/* A packet that another worker or process has received. On the worker's thread. */
void wt__worker_recv(struct wt__worker *worker, size_t socket, const struct wt__origin *origin, struct wt__path *path,
                     unsigned ecn, const uint8_t *data, size_t len);

/* Any thread, and signal handlers. */
void wt__worker_ask(struct wt__worker *worker, unsigned what);
/* The same for all workers. */
void wt__server_ask(struct wt_server *server, unsigned what);

/* The `post` of `struct wt__mux_config`; `ctx` is the worker. */
int wt__worker_post(void *ctx, wt_session *session, wt__session_function function, void *argument);

#endif
