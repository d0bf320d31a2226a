/* SPDX-License-Identifier: MIT */

/*
 * The deadlines of all connections of an endpoint, the next one on top.
 *
 * A binary heap in an array: the children of `i` are `2i + 1` and `2i + 2`, and no child is smaller
 * than its parent. Connections move their deadline with almost every packet, so a node finds its slot without a search,
 * and moving it costs a few comparisons, most often none: a later deadline of a connection that is a leaf already stays
 * where it is.
 *
 * A move shifts the slots of other connections, which may not have had a packet for long: their records are in no cache,
 * and each would have to be waited for. So a slot has a copy of the key, and a node does not know its slot but a place,
 * which stays the same and knows the slot. Keys and places lie close together, and only the record whose deadline moves
 * is touched:
 *
 *     node (place 7) --> places[7] (slot 2) --> slots[2] (key, place 7)
 *                             |
 *                             +--> node, for the one on top
 *
 * It is not stable: nodes with the same key come out in any order. It owns only the arrays; the nodes
 * are part of the connections and have to be removed before those are freed.
 */

#include "base/heap.h"

#include <webtransport/error.h>

#include "base/mem.h"

#define HEAP_CAP_MIN 16
#define HEAP_NOWHERE SIZE_MAX

void wt__heap_init(struct wt__heap *heap) { *heap = (struct wt__heap){.slots = NULL}; }

void wt__heap_free(struct wt__heap *heap) {
  wt__free(heap->slots);
  wt__free(heap->places);
  wt__heap_init(heap);
}

void wt__heap_node_init(struct wt__heap_node *node) { *node = (struct wt__heap_node){0, HEAP_NOWHERE}; }

static void heap_put(struct wt__heap *heap, size_t index, struct wt__heap_slot slot) {
  heap->slots[index] = slot;
  heap->places[slot.place].slot = index;
}

/* Finds the slot for `key`, from `index` towards the top; larger parents come down. */
static size_t heap_sift_up(struct wt__heap *heap, size_t index, uint64_t key) {
  while (index > 0) {
    size_t parent = (index - 1) / 2;
    if (heap->slots[parent].key <= key) break;
    heap_put(heap, index, heap->slots[parent]);
    index = parent;
  }
  return index;
}

/* Finds the slot for `key`, from `index` towards the leaves; smaller children come up. */
static size_t heap_sift_down(struct wt__heap *heap, size_t index, uint64_t key) {
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= heap->len) break;
    if (child + 1 < heap->len && heap->slots[child + 1].key < heap->slots[child].key) child++;
    if (heap->slots[child].key >= key) break;
    heap_put(heap, index, heap->slots[child]);
    index = child;
  }
  return index;
}

/* Settles `slot` around the free one at `index`. */
static void heap_settle(struct wt__heap *heap, size_t index, struct wt__heap_slot slot) {
  size_t up = heap_sift_up(heap, index, slot.key);
  heap_put(heap, up < index ? up : heap_sift_down(heap, index, slot.key), slot);
}

static int heap_grow(struct wt__heap *heap) {
  size_t cap = heap->cap ? heap->cap * 2 : HEAP_CAP_MIN;
  struct wt__heap_slot *slots = wt__realloc(heap->slots, cap * sizeof(*slots));
  if (!slots) return WT_ERR_NOMEM;
  heap->slots = slots;
  struct wt__heap_place *places = wt__realloc(heap->places, cap * sizeof(*places));
  if (!places) return WT_ERR_NOMEM;
  heap->places = places;
  for (size_t i = heap->cap; i < cap; i++) slots[i].place = i;
  heap->cap = cap;
  return 0;
}

int wt__heap_set(struct wt__heap *heap, struct wt__heap_node *node, uint64_t key) {
  if (node->place == HEAP_NOWHERE) {
    if (heap->len == heap->cap && heap_grow(heap)) return WT_ERR_NOMEM;
    node->place = heap->slots[heap->len].place;
    heap->places[node->place] = (struct wt__heap_place){node, heap->len};
    heap->len++;
  }
  node->key = key;
  heap_settle(heap, heap->places[node->place].slot, (struct wt__heap_slot){key, node->place});
  return 0;
}

void wt__heap_remove(struct wt__heap *heap, struct wt__heap_node *node) {
  size_t place = node->place;
  if (place == HEAP_NOWHERE) return;
  node->place = HEAP_NOWHERE;
  size_t hole = heap->places[place].slot;
  struct wt__heap_slot last = heap->slots[--heap->len];
  heap->slots[heap->len].place = place;
  if (last.place != place) heap_settle(heap, hole, last);
}

struct wt__heap_node *wt__heap_min(const struct wt__heap *heap) {
  return heap->len ? heap->places[heap->slots[0].place].node : NULL;
}
