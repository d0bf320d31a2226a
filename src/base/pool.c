/* SPDX-License-Identifier: MIT */

/*
 * Blocks of a few fixed sizes, cut from slabs.
 *
 * A peer that opens a stream for each message makes records that live for a round trip, in bursts of any length. The C
 * library's allocator serves that, but it pays for what is not needed here: locks, blocks of any size in any order, and
 * our count over all threads. In a pool taking and giving are a few instructions each.
 *
 *     slab, aligned to its size        a block's address, rounded down, is its slab
 *     +--------+-------+-------+-------+-- - - - - --+
 *     | header | block | block | block |  never used |       free blocks: a list through themselves,
 *     +--------+-------+-------+-------+-- - - - - --+       the one that was given back last comes first
 *
 * All blocks of a slab are of one size. For each size there is a list of slabs with room. The first of them serves; one
 * that becomes empty goes to the end, so that it is used last, and some of the empty are kept for the next burst. The
 * others go back to the allocator at once. What was never used of a slab is not touched: one with a single block costs
 * a page.
 *
 * It is for one thread, and takes no lock. Blocks are not counted one by one in `wt__mem_live`, slabs are. An
 * allocation that a test has fail (`wt__mem_fail_after`) may be a block's.
 */

#include "base/pool.h"

#include <string.h>

#include "base/mem.h"

#ifdef WT__POOL_ASAN
#include <sanitizer/asan_interface.h>
#define POOL_DIRECT true
#else
#define POOL_DIRECT false
#define ASAN_POISON_MEMORY_REGION(data, len) ((void)(data), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(data, len) ((void)(data), (void)(len))
#endif

struct free_block {
  struct free_block *next;
};

struct slab {
  _Alignas(64) struct wt__link link; /* in the list of its size; in none while it is full */
  struct free_block *free;
  uint32_t used;  /* blocks that were taken and not given back */
  uint32_t fresh; /* where the blocks begin that were never used */
};

static struct slab *slab_of_link(struct wt__link *link) { return WT__CONTAINER_OF(link, struct slab, link); }

static struct slab *slab_of_block(void *block) {
  return (struct slab *)((char *)block - ((uintptr_t)block & (WT__POOL_SLAB - 1)));
}

/* Which of the pool's sizes, and how many bytes that is. */
static size_t pool_index(size_t size) { return size ? (size - 1) / WT__POOL_GRAIN : 0; }
static size_t pool_size(size_t index) { return (index + 1) * WT__POOL_GRAIN; }

static bool pool_is_bypassed(const struct wt__pool *pool, size_t size) {
  return !pool || pool->direct || size > WT__POOL_MAX;
}

/* No block is free. One that is not whole at the end of the slab is never used. */
static bool slab_is_full(const struct slab *slab, size_t size) {
  return !slab->free && slab->fresh + size > WT__POOL_SLAB;
}

static struct slab *slab_new(struct wt__pool *pool, size_t index) {
  struct slab *slab = wt__malloc_aligned(WT__POOL_SLAB, WT__POOL_SLAB);
  if (!slab) return NULL;
  slab->free = NULL;
  slab->used = 0;
  slab->fresh = sizeof(*slab);
  wt__list_push_back(&pool->slabs[index], &slab->link);
  pool->empty[index]++;
  pool->empty_len++;
  ASAN_POISON_MEMORY_REGION(slab + 1, WT__POOL_SLAB - sizeof(*slab));
  return slab;
}

static void slab_free(struct slab *slab) {
  ASAN_UNPOISON_MEMORY_REGION(slab, WT__POOL_SLAB);
  wt__list_remove(&slab->link);
  wt__free(slab);
}

/* The last block was given back. */
static void slab_emptied(struct wt__pool *pool, struct slab *slab, size_t index) {
  if (pool->empty[index] > 0 && pool->empty_len >= WT__POOL_KEEP) {
    slab_free(slab);
    return;
  }
  pool->empty[index]++;
  pool->empty_len++;
  wt__list_remove(&slab->link);
  wt__list_push_back(&pool->slabs[index], &slab->link);
}

void wt__pool_init(struct wt__pool *pool) {
  pool->direct = POOL_DIRECT;
  for (size_t i = 0; i < WT__POOL_SIZES; i++) {
    wt__list_init(&pool->slabs[i]);
    pool->empty[i] = 0;
  }
  pool->empty_len = 0;
  pool->used_slabs = pool->used_bytes = 0;
}

void wt__pool_free(struct wt__pool *pool) {
  for (size_t i = 0; i < WT__POOL_SIZES; i++) {
    WT__LIST_FOREACH(it, next, &pool->slabs[i]) {
      if (slab_of_link(it)->used == 0) slab_free(slab_of_link(it));
    }
    pool->empty[i] = 0;
  }
  pool->empty_len = 0;
}

void *wt__pool_take(struct wt__pool *pool, size_t size) {
  if (pool_is_bypassed(pool, size)) return wt__malloc(size);
  if (wt__mem_refuses()) return NULL;
  size_t index = pool_index(size);
  struct wt__link *link = wt__list_first(&pool->slabs[index]);
  struct slab *slab = link ? slab_of_link(link) : slab_new(pool, index);
  if (!slab) return NULL;
  struct free_block *block = slab->free;
  pool->used_bytes += size;
  size = pool_size(index);
  if (block) {
    ASAN_UNPOISON_MEMORY_REGION(block, size);
    slab->free = block->next;
  } else {
    block = (struct free_block *)(void *)((char *)slab + slab->fresh);
    ASAN_UNPOISON_MEMORY_REGION(block, size);
    slab->fresh += (uint32_t)size;
  }
  if (slab->used++ == 0) {
    pool->empty[index]--;
    pool->empty_len--;
    pool->used_slabs++;
  }
  if (slab_is_full(slab, size)) wt__list_remove(&slab->link);
  return block;
}

void *wt__pool_take_zeroed(struct wt__pool *pool, size_t size) {
  if (pool_is_bypassed(pool, size)) return wt__calloc(1, size);
  void *block = wt__pool_take(pool, size);
  if (block) memset(block, 0, size);
  return block;
}

void wt__pool_give(struct wt__pool *pool, void *block, size_t size) {
  if (!block) return;
  if (pool_is_bypassed(pool, size)) {
    wt__free(block);
    return;
  }
  size_t index = pool_index(size);
  struct slab *slab = slab_of_block(block);
  struct free_block *freed = block;
  if (slab_is_full(slab, pool_size(index))) wt__list_push_front(&pool->slabs[index], &slab->link);
  freed->next = slab->free;
  slab->free = freed;
  ASAN_POISON_MEMORY_REGION(freed, pool_size(index));
  pool->used_bytes -= size;
  if (--slab->used > 0) return;
  pool->used_slabs--;
  slab_emptied(pool, slab, index);
}
