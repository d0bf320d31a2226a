/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_POST_H
#define WT_NET_POST_H

/* Calls that other threads want made on the loop's thread. */

#include <stdatomic.h>
#include <stdbool.h>

struct wt__post;

/* A function of whatever type; only `wt__posts_call` knows which. */
typedef void (*wt__posts_function)(void);

/* Makes one call: turns `function` back into what it was, and gives it the server or client, and `argument`. */
typedef void (*wt__posts_call)(wt__posts_function function, void *subject, void *argument);

#define WT__POSTS_A_RUN 256 /* calls; then packets have their turn */

struct wt__posts {
  _Atomic(struct wt__post *) newest;
  struct wt__post *taken; /* by the run that made as many calls as it may: the oldest of those that are left */
  wt__posts_call call;
  void *subject;
};

void wt__posts_init(struct wt__posts *posts, wt__posts_call call, void *subject);

/* Any thread. WT_ERR_NOMEM; WT_ERR_STATE after `wt__posts_close`. */
int wt__posts_add(struct wt__posts *posts, wt__posts_function function, void *argument);
/* Likewise, with `subject` instead of that of `posts`. */
int wt__posts_add_about(struct wt__posts *posts, void *subject, wt__posts_function function, void *argument);

/* A `call` for those of `wt_session_post`, whose subject is the session. */
void wt__posts_call_session(wt__posts_function function, void *subject, void *argument);

/* Makes the calls that wait, oldest first, at most WT__POSTS_A_RUN of them. Those that are added meanwhile wait for
 * the next time. Returns whether some are left: the caller is to call this again, after a turn of the loop. */
bool wt__posts_run(struct wt__posts *posts);

/* Makes the calls that wait, however many; those that are added meanwhile wait. */
void wt__posts_flush(struct wt__posts *posts);

/* Likewise; from now on none are taken. */
void wt__posts_close(struct wt__posts *posts);

#endif
