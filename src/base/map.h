/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_MAP_H
#define WT_BASE_MAP_H

/*
 * A map from 64-bit keys to pointers: open addressing with linear probing and backward-shift deletion,
 * so that it neither degrades nor holds tombstones after millions of insertions and removals. It
 * shrinks again when most of it is gone: a connection that once had many streams gives memory back.
 */

#include <stddef.h>
#include <stdint.h>

struct wt__map_slot {
  uint64_t key;
  void *value; /* NULL: free slot */
};

struct wt__map {
  struct wt__map_slot *slots;
  size_t cap; /* 0 or a power of two */
  size_t len;
};

void wt__map_init(struct wt__map *map);
void wt__map_free(struct wt__map *map);

/* The value, or NULL. */
void *wt__map_get(const struct wt__map *map, uint64_t key);

/* Inserts or replaces; `value` is not NULL. WT_ERR_NOMEM. */
int wt__map_set(struct wt__map *map, uint64_t key, void *value);

/* Removes and returns the value, or NULL. */
void *wt__map_remove(struct wt__map *map, uint64_t key);

/* Calls `fn` for each value, in no order. `fn` must not change the map. */
void wt__map_each(const struct wt__map *map, void (*fn)(uint64_t key, void *value, void *arg), void *arg);

#endif
