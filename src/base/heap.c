/* SPDX-License-Identifier: MIT */

/*
 * The deadlines of all connections of an endpoint, the next one on top.
 *
 * A binary heap in an array: the children of `i` are `2i + 1` and `2i + 2`, and no child is smaller
 * than its parent. Connections move their deadline with almost every packet, so a node knows its own
 * place and moving it costs a few comparisons, most often none: a later deadline of a connection that
 * is a leaf already stays where it is.
 *
 * It is not stable: nodes with the same key come out in any order. It owns only the array; the nodes
 * are part of the connections and have to be removed before those are freed.
 */

#include "base/heap.h"

#include <webtransport/error.h>

#include "base/mem.h"

#define HEAP_CAP_MIN 16
#define HEAP_NOWHERE SIZE_MAX

void wt__heap_init(struct wt__heap *heap) { *heap = (struct wt__heap){NULL, 0, 0}; }

void wt__heap_free(struct wt__heap *heap) {
  wt__free(heap->nodes);
  wt__heap_init(heap);
}

void wt__heap_node_init(struct wt__heap_node *node) { *node = (struct wt__heap_node){0, HEAP_NOWHERE}; }

static void heap_put(struct wt__heap *heap, size_t index, struct wt__heap_node *node) {
  heap->nodes[index] = node;
  node->index = index;
}

/* Finds the place of `node`, from `index` towards the top; larger parents come down. */
static size_t heap_sift_up(struct wt__heap *heap, size_t index, const struct wt__heap_node *node) {
  while (index > 0) {
    size_t parent = (index - 1) / 2;
    if (heap->nodes[parent]->key <= node->key) break;
    heap_put(heap, index, heap->nodes[parent]);
    index = parent;
  }
  return index;
}

/* Finds the place of `node`, from `index` towards the leaves; smaller children come up. */
static size_t heap_sift_down(struct wt__heap *heap, size_t index, const struct wt__heap_node *node) {
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= heap->len) break;
    if (child + 1 < heap->len && heap->nodes[child + 1]->key < heap->nodes[child]->key) child++;
    if (heap->nodes[child]->key >= node->key) break;
    heap_put(heap, index, heap->nodes[child]);
    index = child;
  }
  return index;
}

/* Settles `node`, whose key is set, around the free place `index`. */
static void heap_settle(struct wt__heap *heap, size_t index, struct wt__heap_node *node) {
  size_t up = heap_sift_up(heap, index, node);
  heap_put(heap, up < index ? up : heap_sift_down(heap, index, node), node);
}

int wt__heap_set(struct wt__heap *heap, struct wt__heap_node *node, uint64_t key) {
  if (node->index == HEAP_NOWHERE) {
    if (heap->len == heap->cap) {
      size_t cap = heap->cap ? heap->cap * 2 : HEAP_CAP_MIN;
      struct wt__heap_node **nodes = wt__realloc(heap->nodes, cap * sizeof(*nodes));
      if (!nodes) return WT_ERR_NOMEM;
      heap->nodes = nodes;
      heap->cap = cap;
    }
    node->index = heap->len++;
  }
  node->key = key;
  heap_settle(heap, node->index, node);
  return 0;
}

void wt__heap_remove(struct wt__heap *heap, struct wt__heap_node *node) {
  size_t hole = node->index;
  if (hole == HEAP_NOWHERE) return;
  node->index = HEAP_NOWHERE;
  struct wt__heap_node *last = heap->nodes[--heap->len];
  if (last != node) heap_settle(heap, hole, last);
}

struct wt__heap_node *wt__heap_min(const struct wt__heap *heap) {
  return heap->len ? heap->nodes[0] : NULL;
}
