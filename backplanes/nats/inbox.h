/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_INBOX_H
#define WT_BACKPLANES_INBOX_H

/*
 * Messages on their way from the thread of nats.c that hands them over to the loop's thread. Each subscription holds a
 * reference, because nats.c may call once more after a subscription has ended.
 */

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include <nats/nats.h>

struct wt__nats_inbox_item {
  struct wt__nats_inbox_item *next;
  natsMsg *message;
};

struct wt__nats_inbox {
  uv_mutex_t lock;
  uv_async_t *wake; /* NULL: the loop takes no more */
  unsigned references;
  struct wt__nats_inbox_item *first, **end;
  size_t bytes, max_bytes;
};

/* With one reference. NULL: out of memory. */
struct wt__nats_inbox *wt__nats_inbox_new(uv_async_t *wake, size_t max_bytes);
void wt__nats_inbox_ref(struct wt__nats_inbox *inbox);
void wt__nats_inbox_unref(struct wt__nats_inbox *inbox);
/* The loop takes no more: what comes is dropped. */
void wt__nats_inbox_close(struct wt__nats_inbox *inbox);

/* Takes over a message, on any thread. Beyond the bound it is dropped, unless it `must` be kept; its number tells that
 * later. */
void wt__nats_inbox_put(struct wt__nats_inbox *inbox, natsMsg *message, bool must);

/* The oldest message, which the caller destroys, or NULL. */
natsMsg *wt__nats_inbox_take(struct wt__nats_inbox *inbox);

#endif
