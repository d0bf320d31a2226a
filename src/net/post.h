/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_POST_H
#define WT_NET_POST_H

/* Calls that other threads want made on the loop's thread. */

#include <stdatomic.h>

#include <webtransport/server.h>

struct wt__post;

struct wt__posts {
  _Atomic(struct wt__post *) newest;
};

void wt__posts_init(struct wt__posts *posts);

/* Any thread. WT_ERR_NOMEM; WT_ERR_STATE after `wt__posts_close`. */
int wt__posts_add(struct wt__posts *posts, void (*function)(wt_server *server, void *argument), void *argument);

/* Makes the calls that wait, oldest first. Those that are added meanwhile wait for the next time. */
void wt__posts_run(struct wt__posts *posts, wt_server *server);

/* Makes the calls that wait; from now on none are taken. */
void wt__posts_close(struct wt__posts *posts, wt_server *server);

#endif
