/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_TAKEOVER_NEW_H
#define WT_NET_TAKEOVER_NEW_H

/* The new process of a takeover. See takeover_new.c. Errors leave a sentence in `server->error`. */

#include <stddef.h>

#include "net/address.h"

struct wt__takeover;
struct wt__takeover_group;

/* Asks the process at the path for its sockets, if there is one. Waits for the answer. */
int wt__takeover_ask(struct wt__takeover *takeover, const char *path);

/* The sockets for an address of `listen`, which are then used; NULL: there are none. */
struct wt__takeover_group *wt__takeover_use_group(struct wt__takeover *takeover, const struct wt__address *address);
/* The sockets of the server's address number `index`; NULL: it opened its own. */
struct wt__takeover_group *wt__takeover_group_of(struct wt__takeover *takeover, size_t index);
/* The next descriptor of a group, whose owner is the caller from then on; -1: there is none. */
int wt__takeover_group_take(struct wt__takeover_group *group);

/* Tells the old process that all is ready, and waits until it has let go. Nothing happens without one. */
int wt__takeover_ready(struct wt__takeover *takeover);

/* Closes what the old process gave and nobody took. */
void wt__takeover_close_rest(struct wt__takeover *takeover);

#endif
