/* SPDX-License-Identifier: MIT */

/*
 * ngtcp2's allocations, one list per connection.
 *
 * ngtcp2 (1.11) loses memory: a STREAM frame of several pieces has a block of its own, and the number of pieces says
 * so when it is freed. Before lost bytes are sent again, pieces that were acknowledged meanwhile are cut off. If few
 * pieces are left, ngtcp2 takes the block for one of its pool, and puts it there instead of freeing it. The pool is freed
 * with the connection, but the block never is. A peer can repeat that at will by what it acknowledges, and the server
 * would grow for ever.
 *
 * So each block has two pointers before it, and what ngtcp2 leaves behind is freed with the connection. It is not a
 * pool: blocks come from and go to wt__malloc & co. one by one.
 *
 * The lowest bit of the second pointer says that the block was allocated while ngtcp2 read packets. Those blocks have a
 * sum of their own, since the peer decides how many there are: see read_limit.c.
 */

#include "quic/blocks.h"

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define READ_BIT (uintptr_t)1

/* Aligned like what malloc returns, and so is what follows it. */
struct wt__block {
  _Alignas(max_align_t) struct wt__block *next;
  uintptr_t back; /* the pointer that points here, and READ_BIT */
};

static struct wt__block *block_of(void *ptr) { return (struct wt__block *)ptr - 1; }

static bool block_is_read(const struct wt__block *block) { return (block->back & READ_BIT) != 0; }

static void block_link(struct wt__blocks *blocks, struct wt__block *block) {
  block->next = blocks->first;
  block->back = (uintptr_t)&blocks->first | (blocks->reading ? READ_BIT : 0);
  if (block->next) block->next->back = (uintptr_t)&block->next | (block->next->back & READ_BIT);
  blocks->first = block;
}

static void block_unlink(struct wt__block *block) {
  struct wt__block **back = (struct wt__block **)(block->back & ~READ_BIT);
  *back = block->next;
  if (block->next) block->next->back = (uintptr_t)back | (block->next->back & READ_BIT);
}

static void *block_add(struct wt__blocks *blocks, struct wt__block *block) {
  if (!block) return NULL;
  size_t size = wt__mem_size(block);
  block_link(blocks, block);
  wt__gauge_add(blocks->gauge, size);
  if (blocks->reading) blocks->read += size;
  return block + 1;
}

static struct wt__block *block_take(struct wt__blocks *blocks, struct wt__block *block) {
  size_t size = wt__mem_size(block);
  wt__gauge_remove(blocks->gauge, size);
  if (block_is_read(block)) blocks->read -= size;
  block_unlink(block);
  return block;
}

static void *blocks_malloc(size_t size, void *user_data) {
  if (size > SIZE_MAX - sizeof(struct wt__block)) return NULL;
  return block_add(user_data, wt__malloc(sizeof(struct wt__block) + size));
}

static void blocks_release(void *ptr, void *user_data) {
  if (ptr) wt__free(block_take(user_data, block_of(ptr)));
}

static void *blocks_calloc(size_t count, size_t size, void *user_data) {
  if (size && count > (SIZE_MAX - sizeof(struct wt__block)) / size) return NULL;
  return block_add(user_data, wt__calloc(1, sizeof(struct wt__block) + count * size));
}

static void *blocks_realloc(void *ptr, size_t size, void *user_data) {
  struct wt__blocks *blocks = user_data;
  if (!ptr) return blocks_malloc(size, user_data);
  if (size > SIZE_MAX - sizeof(struct wt__block)) return NULL;
  struct wt__block *block = block_take(blocks, block_of(ptr)), *moved = wt__realloc(block, sizeof(*block) + size);
  if (moved) return block_add(blocks, moved);
  (void)block_add(blocks, block); /* it stays as it was */
  return NULL;
}

void wt__blocks_init(struct wt__blocks *blocks, struct wt__gauge *gauge) {
  blocks->mem = (ngtcp2_mem){blocks, blocks_malloc, blocks_release, blocks_calloc, blocks_realloc};
  blocks->first = NULL;
  blocks->gauge = gauge;
  blocks->reading = false;
  blocks->read = 0;
}

void wt__blocks_free(struct wt__blocks *blocks) {
  while (blocks->first) wt__free(block_take(blocks, blocks->first));
}
