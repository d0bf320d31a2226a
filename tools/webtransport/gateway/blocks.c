/* SPDX-License-Identifier: MIT */
/*
 * A transfer from a back end is read into blocks that the stream then owns until the client has acknowledged them, so the
 * library need not copy it. A block that is less than half full would hold more memory than the stream's bound counts,
 * so such bytes are copied, and the block is used again at once.
 */
#include "gateway/blocks.h"

#include <stdlib.h>

struct block {
  struct block *next;
};

uint8_t *blocks_take(struct blocks *blocks) {
  struct block *block = blocks->free;
  if (!block) return malloc(BLOCK_SIZE);
  blocks->free = block->next;
  blocks->count--;
  return (uint8_t *)block;
}

void blocks_give(struct blocks *blocks, uint8_t *data) {
  struct block *block = (struct block *)(void *)data;
  if (blocks->count == BLOCKS_KEPT) {
    free(block);
    return;
  }
  block->next = blocks->free;
  blocks->free = block;
  blocks->count++;
}

void blocks_release(const uint8_t *data, size_t len, void *user_data) {
  (void)len;
  blocks_give(user_data, (uint8_t *)(uintptr_t)data);
}

void blocks_free(struct blocks *blocks) {
  while (blocks->free) free(blocks_take(blocks));
}
