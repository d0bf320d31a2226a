/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_WATCH_H
#define WT_NET_WATCH_H

/* A descriptor, other than a UDP socket, that a loop waits for. */

#include "net/loop.h"

struct wt__watch;

/* From now on `on_ready(ctx)` is called in the loop's turns when `fd` is readable, or has ended. NULL: no memory, or the
 * system refuses. */
struct wt__watch *wt__watch_new(struct wt__loop *loop, int fd, void (*on_ready)(void *ctx), void *ctx);
/* Before `fd` is closed. NULL is allowed. */
void wt__watch_free(struct wt__watch *watch);

#endif
