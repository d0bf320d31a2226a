/* SPDX-License-Identifier: MIT */

/*
 * A map from 64-bit keys (stream ids, connection ids cut to eight bytes) to pointers.
 *
 * All slots lie in one array whose size is a power of two. A key's home is its hash; if that slot is
 * taken, the key sits in the next free one behind it, around the end:
 *
 *     home of A, B and C       home of D
 *          v                      v
 *     ... [A] [B] [C]  .   .  ...[D]  .
 *
 * Removing B must not leave a hole in front of C, or C would be lost. Instead of marking the slot as
 * "once used" (such marks pile up on a connection that opens and closes streams for days, until every
 * search walks over all of them), the keys behind it move up, each as far as its home allows.
 *
 * At most three quarters of the slots are taken, and, above the smallest size, at least an eighth. A
 * shrink that cannot get memory is put off: removal never fails.
 *
 * The hash is a fixed mixing function without a secret. Peers choose few of the keys freely, and all
 * tables keyed by what a peer chooses have a small bound, so there is no flood to defend against here.
 */

#include "base/map.h"

#include <webtransport/error.h>

#include "base/mem.h"

#define MAP_CAP_MIN 8

/* Every bit of the key changes about half of the bits of the result; stream ids differ in few bits. */
static uint64_t map_hash(uint64_t key) {
  key ^= key >> 32;
  key *= UINT64_C(0x9e3779b97f4a7c15);
  key ^= key >> 29;
  key *= UINT64_C(0xd6e8feb86659fd93);
  return key ^ key >> 32;
}

static size_t map_home(const struct wt__map *map, uint64_t key) { return (size_t)map_hash(key) & (map->cap - 1); }

/* The slot that holds `key`, or the free one where it belongs. There is always a free one. */
static size_t map_find(const struct wt__map *map, uint64_t key) {
  size_t i = map_home(map, key);
  while (map->slots[i].value && map->slots[i].key != key) i = (i + 1) & (map->cap - 1);
  return i;
}

static int map_resize(struct wt__map *map, size_t cap) {
  struct wt__map next = {wt__calloc(cap, sizeof(*next.slots)), cap, map->len};
  if (!next.slots) return WT_ERR_NOMEM;
  for (size_t i = 0; i < map->cap; i++) {
    if (map->slots[i].value) next.slots[map_find(&next, map->slots[i].key)] = map->slots[i];
  }
  wt__free(map->slots);
  *map = next;
  return 0;
}

void wt__map_init(struct wt__map *map) { *map = (struct wt__map){NULL, 0, 0}; }

void wt__map_free(struct wt__map *map) {
  wt__free(map->slots);
  wt__map_init(map);
}

void *wt__map_get(const struct wt__map *map, uint64_t key) {
  return map->cap ? map->slots[map_find(map, key)].value : NULL;
}

int wt__map_set(struct wt__map *map, uint64_t key, void *value) {
  if (!value) return WT_ERR_INVALID;
  if (map->cap) {
    struct wt__map_slot *slot = &map->slots[map_find(map, key)];
    if (slot->value) {
      slot->value = value;
      return 0;
    }
  }
  if (map->len >= map->cap / 4 * 3) {
    int error = map_resize(map, map->cap ? map->cap * 2 : MAP_CAP_MIN);
    if (error) return error;
  }
  map->slots[map_find(map, key)] = (struct wt__map_slot){key, value};
  map->len++;
  return 0;
}

/* Frees slot `hole` and moves the keys behind it up, so that none is cut off from its home. */
static void map_close_hole(struct wt__map *map, size_t hole) {
  size_t mask = map->cap - 1;
  for (size_t i = (hole + 1) & mask; map->slots[i].value; i = (i + 1) & mask) {
    /* The key at `i` may move to the hole unless its home lies behind the hole. */
    size_t distance = (i - map_home(map, map->slots[i].key)) & mask;
    if (distance < ((i - hole) & mask)) continue;
    map->slots[hole] = map->slots[i];
    hole = i;
  }
  map->slots[hole] = (struct wt__map_slot){0, NULL};
}

void *wt__map_remove(struct wt__map *map, uint64_t key) {
  if (!map->cap) return NULL;
  size_t i = map_find(map, key);
  void *value = map->slots[i].value;
  if (!value) return NULL;
  map_close_hole(map, i);
  map->len--;
  if (map->cap > MAP_CAP_MIN && map->len < map->cap / 8) (void)map_resize(map, map->cap / 2);
  return value;
}

void wt__map_each(const struct wt__map *map, void (*fn)(uint64_t key, void *value, void *arg), void *arg) {
  for (size_t i = 0; i < map->cap; i++) {
    if (map->slots[i].value) fn(map->slots[i].key, map->slots[i].value, arg);
  }
}
