/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_HEAP_H
#define WT_BASE_HEAP_H

/*
 * A binary min-heap of deadlines whose nodes sit inside the elements and know their place, so that a
 * deadline moves or goes without a search. One per endpoint: the next timer of all its connections.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wt__heap_node {
  uint64_t key;
  size_t place; /* SIZE_MAX: in no heap */
};

struct wt__heap_slot {
  uint64_t key;
  size_t place;
};

struct wt__heap_place {
  struct wt__heap_node *node;
  size_t slot;
};

struct wt__heap {
  struct wt__heap_slot *slots; /* the heap: `len` of them; behind these, the places that are free */
  struct wt__heap_place *places;
  size_t len, cap;
};

void wt__heap_init(struct wt__heap *heap);
void wt__heap_free(struct wt__heap *heap);
void wt__heap_node_init(struct wt__heap_node *node);

/* Inserts `node` with `key`, or changes its key. WT_ERR_NOMEM only on insertion. */
int wt__heap_set(struct wt__heap *heap, struct wt__heap_node *node, uint64_t key);
/* Removes `node`; nothing if it is in no heap. */
void wt__heap_remove(struct wt__heap *heap, struct wt__heap_node *node);
/* The node with the smallest key, or NULL. */
struct wt__heap_node *wt__heap_min(const struct wt__heap *heap);

#endif
