/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_START_H
#define WT_NET_START_H

/* How a server begins and ends: sockets, endpoints, threads. See start.c. */

struct wt_server;

/* Opens sockets, makes the endpoints, begins the threads. On an error `server->error` says why, and the state is NEW
 * if it may be tried again. */
int wt__server_begin(struct wt_server *server);

/* Ends what runs: CONNECTION_CLOSE to every peer, `on_close` for every handle, no more sockets. Not inside a
 * callback. */
void wt__server_end(struct wt_server *server);

/* In a copy of the process (fork.h), before its loop is run or started: goes on, if that can be. WT_ERR_STATE,
 * WT_ERR_IO. */
int wt__server_adopt(struct wt_server *server);
/* In a copy that cannot go on with it: closes the sockets here and leaves all else alone. */
void wt__server_abandon(struct wt_server *server);

/* Waits for the threads, which are about to end. */
void wt__server_join(struct wt_server *server);

#endif
