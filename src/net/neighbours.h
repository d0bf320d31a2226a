/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_NEIGHBOURS_H
#define WT_NET_NEIGHBOURS_H

/* Packets that belong to another process. See neighbours.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/endpoint.h"

struct wt__neighbour;
struct wt__worker;

/* The `hand_over` of `struct wt__endpoint_config`; `ctx` is the worker. */
bool wt__neighbours_hand_over(void *ctx, bool first, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                              size_t len);

/* Sends what a worker has handed over. At the end of each turn, on its thread. */
void wt__neighbours_flush(struct wt__worker *worker);

/* Gives the packets of a message, ASK or NOT_MINE, to the workers they are for. On the thread of worker 0. */
void wt__neighbours_deliver(struct wt__neighbour *from, const uint8_t *data, size_t len);

/* Reads what an older process says: an `on_ready`. */
void wt__neighbours_on_older(void *neighbour);

/* Reads the next message into a buffer of the thread of worker 0. Its length, and the descriptors that came with it; 0: the
 * other process is gone, or talks nonsense; -1: there is none now. */
int wt__neighbour_recv(struct wt__neighbour *neighbour, const uint8_t **data, int *fds, size_t *count);

#endif
