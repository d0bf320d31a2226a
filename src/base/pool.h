/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_POOL_H
#define WT_BASE_POOL_H

/*
 * Small blocks that come and go by the thousand: the records of streams. A pool belongs to one thread; an endpoint has
 * one for all its connections. See pool.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

#if defined(__SANITIZE_ADDRESS__) /* gcc */
#define WT__POOL_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) /* clang */
#define WT__POOL_ASAN
#endif
#endif

#define WT__POOL_SLAB 16384 /* bytes that are taken from the allocator at once */
#define WT__POOL_MAX 2048   /* bytes of a block; longer ones come from the allocator */
#define WT__POOL_GRAIN 64   /* blocks of a slab are of one size, a multiple of this */
#define WT__POOL_KEEP 16    /* empty slabs that are kept, and one of each size beside them */
#define WT__POOL_SIZES (WT__POOL_MAX / WT__POOL_GRAIN)

struct wt__pool {
  /* `direct`: each block comes from the allocator and goes back there, as if there were no pool. So it begins where
   * AddressSanitizer looks, which finds more in blocks of its own. */
  bool direct;
  struct wt__list slabs[WT__POOL_SIZES]; /* by size: those with free blocks, the empty ones last */
  uint32_t empty[WT__POOL_SIZES];        /* how many of them are empty */
  uint32_t empty_len;                    /* of all sizes */
  size_t used_slabs, used_bytes;         /* slabs that are not empty, and what was asked for of them */
};

void wt__pool_init(struct wt__pool *pool);
/* Gives back all slabs without blocks in use. The others, of which there should be none, are left as they are: a leak
 * shows, and a block that somebody still uses stays good. */
void wt__pool_free(struct wt__pool *pool);

/* A block of `size` bytes, not cleared, aligned for everything. `pool` may be NULL: it comes from the allocator. NULL
 * when out of memory. */
void *wt__pool_take(struct wt__pool *pool, size_t size);
/* As the former, cleared. */
void *wt__pool_take_zeroed(struct wt__pool *pool, size_t size);
/* `pool` and `size` are those that it was taken with; `block` may be NULL. */
void wt__pool_give(struct wt__pool *pool, void *block, size_t size);

/* Bytes of slabs in use beyond what was asked for. Whoever counts blocks by their sizes adds this, else a peer could make
 * many slabs and leave a block in each. Empty slabs are few, and do not count. */
static inline size_t wt__pool_spare(const struct wt__pool *pool) {
  return pool->used_slabs * WT__POOL_SLAB - pool->used_bytes;
}

#endif
