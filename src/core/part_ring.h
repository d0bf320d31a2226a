/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_PART_RING_H
#define WT_CORE_PART_RING_H

/* References to messages that wait, oldest first, in an array that grows. It takes no more memory than 8 bytes for each
 * message that waited at a time. */

#include <stdbool.h>
#include <stddef.h>

#include "core/message.h"

struct wt__part_ring {
  struct wt__part **slots;
  size_t cap; /* 0 or a power of two */
  size_t first, len;
  size_t bytes;            /* of the payloads */
  struct wt__gauge *gauge; /* counts the array; may be NULL */
};

/* Zeroes are an empty ring. */

/* Adds a reference as the newest one. WT_ERR_NOMEM. */
int wt__part_ring_push(struct wt__part_ring *ring, struct wt__part *part);
/* The oldest one, or NULL. It stays. */
struct wt__part *wt__part_ring_first(const struct wt__part_ring *ring);
/* Takes the oldest one out; the caller gets its reference. NULL: the ring is empty. */
struct wt__part *wt__part_ring_take(struct wt__part_ring *ring);
/* Releases all references, and frees the array. */
void wt__part_ring_free(struct wt__part_ring *ring);

#endif
