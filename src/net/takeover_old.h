/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_TAKEOVER_OLD_H
#define WT_NET_TAKEOVER_OLD_H

/* The old process of a takeover. See takeover_old.c. */

#include <stddef.h>
#include <stdint.h>

struct wt__takeover;
struct wt__worker;

/* Begins to listen for the next process. On the thread of worker 0. WT_ERR_NOMEM, WT_ERR_IO; `message` says why. */
int wt__takeover_old_begin(struct wt__takeover *takeover, char *message, size_t size);

/* Does what is due: on the thread of worker 0, in each pass. When it is due next; UINT64_MAX: never. */
uint64_t wt__takeover_old_pass(struct wt__takeover *takeover, uint64_t now);

#endif
