/* SPDX-License-Identifier: MIT */

/*
 * ngtcp2's allocations, one list per connection.
 *
 * ngtcp2 (1.11) loses memory: a STREAM frame of several pieces has a block of its own, and the number of pieces says
 * so when it is freed. Before lost bytes are sent again, those that were acknowledged meanwhile are cut off. If few
 * pieces are left, the block is taken for one out of ngtcp2's pool, and goes there instead of back. The pool is freed
 * with the connection, the block never. A peer that acknowledges with some art can repeat that at will, and a server
 * must not grow for good by what its clients do.
 *
 * So each block has two pointers before it, and what ngtcp2 leaves behind is freed with the connection. It is not a
 * pool: blocks come from and go to wt__malloc & co. one by one.
 */

#include "quic/blocks.h"

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* Aligned like what malloc returns, and so is what follows it. */
struct block {
  _Alignas(max_align_t) struct wt__link link;
};

static struct block *block_of(void *ptr) { return (struct block *)ptr - 1; }

static void *block_add(struct wt__blocks *blocks, struct block *block) {
  if (!block) return NULL;
  wt__gauge_add(blocks->gauge, wt__mem_size(block));
  wt__list_push_back(&blocks->list, &block->link);
  return block + 1;
}

static struct block *block_take(struct wt__blocks *blocks, struct block *block) {
  wt__gauge_remove(blocks->gauge, wt__mem_size(block));
  wt__list_remove(&block->link);
  return block;
}

static void *blocks_malloc(size_t size, void *user_data) {
  if (size > SIZE_MAX - sizeof(struct block)) return NULL;
  return block_add(user_data, wt__malloc(sizeof(struct block) + size));
}

static void blocks_release(void *ptr, void *user_data) {
  if (ptr) wt__free(block_take(user_data, block_of(ptr)));
}

static void *blocks_calloc(size_t count, size_t size, void *user_data) {
  if (size && count > (SIZE_MAX - sizeof(struct block)) / size) return NULL;
  return block_add(user_data, wt__calloc(1, sizeof(struct block) + count * size));
}

static void *blocks_realloc(void *ptr, size_t size, void *user_data) {
  struct wt__blocks *blocks = user_data;
  if (!ptr) return blocks_malloc(size, user_data);
  if (size > SIZE_MAX - sizeof(struct block)) return NULL;
  struct block *block = block_take(blocks, block_of(ptr)), *moved = wt__realloc(block, sizeof(*block) + size);
  if (moved) return block_add(blocks, moved);
  (void)block_add(blocks, block); /* it stays as it was */
  return NULL;
}

void wt__blocks_init(struct wt__blocks *blocks, struct wt__gauge *gauge) {
  blocks->mem = (ngtcp2_mem){blocks, blocks_malloc, blocks_release, blocks_calloc, blocks_realloc};
  wt__list_init(&blocks->list);
  blocks->gauge = gauge;
}

void wt__blocks_free(struct wt__blocks *blocks) {
  struct wt__link *link;
  while ((link = wt__list_first(&blocks->list))) {
    wt__free(block_take(blocks, WT__CONTAINER_OF(link, struct block, link)));
  }
}
