/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_TAKEOVER_H
#define WT_NET_TAKEOVER_H

/* A server's part in takeovers, as the server's other files see it. See takeover.c; NULL stands for none. */

#include <stdint.h>

struct wt__takeover;
struct wt__worker;
struct wt_server;

/* Once the server's addresses are known. WT_ERR_NOMEM. */
int wt__takeover_prepare(struct wt__takeover *takeover);

/* The end of the start: takes over, and begins to listen for the next process. Waits. An error leaves a sentence. */
int wt__takeover_begin(struct wt__takeover *takeover);

/* On each worker's thread: once its loop has its sockets, and after ASK_TAKEOVER. */
void wt__takeover_follow(struct wt__worker *worker);

/* In each pass of a worker that is running or draining. When it has something to do next; UINT64_MAX: never. */
uint64_t wt__takeover_pass(struct wt__worker *worker, uint64_t now);

/* The server ends in order: older processes are to take no new connections. On the thread of worker 0. */
void wt__takeover_leave(struct wt__takeover *takeover);

/* Closes everything, on the thread of worker 0 or when there are no threads. Nothing happens the second time. */
void wt__takeover_end(struct wt__takeover *takeover);
/* In a copy of the process: closes the descriptors alone. */
void wt__takeover_abandon(struct wt__takeover *takeover);
void wt__takeover_free(struct wt__takeover *takeover);

#endif
