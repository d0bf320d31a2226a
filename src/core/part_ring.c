/* SPDX-License-Identifier: MIT */

/*
 * A ring of references. Most subscriptions never wait, and have no array. One that had many messages gives a large array
 * back when it is empty, and keeps a small one, because it may be slow again.
 */

#include "core/part_ring.h"

#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"

#define CAP_MIN 8
#define CAP_KEPT 32 /* slots of an array that stays though it is empty */

static void ring_drop_slots(struct wt__part_ring *ring) {
  wt__gauge_remove(ring->gauge, ring->cap * sizeof(void *));
  wt__free(ring->slots);
  ring->slots = NULL;
  ring->cap = ring->first = 0;
}

static int ring_grow(struct wt__part_ring *ring) {
  size_t cap = ring->cap ? ring->cap * 2 : CAP_MIN;
  struct wt__part **slots = wt__malloc(cap * sizeof(void *));
  if (!slots) return WT_ERR_NOMEM;
  for (size_t i = 0; i < ring->len; i++) slots[i] = ring->slots[(ring->first + i) & (ring->cap - 1)];
  ring_drop_slots(ring);
  ring->slots = slots;
  ring->cap = cap;
  wt__gauge_add(ring->gauge, cap * sizeof(void *));
  return 0;
}

int wt__part_ring_push(struct wt__part_ring *ring, struct wt__part *part) {
  if (ring->len == ring->cap && ring_grow(ring)) return WT_ERR_NOMEM;
  ring->slots[(ring->first + ring->len++) & (ring->cap - 1)] = wt__part_ref(part);
  ring->bytes += wt__part_len(part);
  return 0;
}

struct wt__part *wt__part_ring_first(const struct wt__part_ring *ring) {
  return ring->len ? ring->slots[ring->first] : NULL;
}

struct wt__part *wt__part_ring_take(struct wt__part_ring *ring) {
  struct wt__part *part = wt__part_ring_first(ring);
  if (!part) return NULL;
  ring->first = (ring->first + 1) & (ring->cap - 1);
  ring->len--;
  ring->bytes -= wt__part_len(part);
  if (ring->len == 0 && ring->cap > CAP_KEPT) ring_drop_slots(ring);
  return part;
}

void wt__part_ring_free(struct wt__part_ring *ring) {
  struct wt__part *part;
  while ((part = wt__part_ring_take(ring))) wt__part_unref(part);
  ring_drop_slots(ring);
}
