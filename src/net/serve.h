/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_SERVE_H
#define WT_NET_SERVE_H

/* A worker at work: sockets and time on one side, the QUIC endpoint on the other. See serve.c. */

#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"

struct wt__worker;
struct wt_server;

extern const struct wt__loop_callbacks wt__serve_callbacks; /* ctx: a wt__worker */

/* Sends CONNECTION_CLOSE to the worker's peers and ends its handles. On its thread, not inside a callback. */
void wt__worker_close(struct wt__worker *worker);

/* Closes the worker's endpoint, and takes its sockets from the loop. */
void wt__worker_close_parts(struct wt__worker *worker);

/* The `wake` of `struct wt__hub`; `ctx` is the server. Any thread. */
void wt__worker_wake(void *ctx, unsigned index);

/* Waits for an end that comes by itself, or in so many milliseconds; not any more. On its thread. */
void wt__worker_begin_end(struct wt__worker *worker, uint64_t ms);
void wt__worker_undo_end(struct wt__worker *worker);

#endif
