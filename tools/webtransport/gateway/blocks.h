/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_BLOCKS_H
#define WEBTRANSPORT_TOOL_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

enum {
  BLOCK_SIZE = 65536,
  BLOCK_OWNED_MIN = BLOCK_SIZE / 2, /* a stream gets a block without a copy if it holds at least so many bytes */
  BLOCKS_KEPT = 64,                 /* that nobody uses: 4 MiB */
};

struct block;

/* Memory for bytes that a back end sent and a client has not acknowledged yet. All zero: empty. */
struct blocks {
  struct block *free;
  size_t count;
};

/* Returns BLOCK_SIZE bytes, or NULL: there is no memory. */
uint8_t *blocks_take(struct blocks *blocks);

/* Takes a block back. */
void blocks_give(struct blocks *blocks, uint8_t *block);

/* `wt_release_callback`, whose user data are the blocks: takes one back that a stream had. */
void blocks_release(const uint8_t *data, size_t len, void *user_data);

/* Frees those that nobody uses. */
void blocks_free(struct blocks *blocks);

#endif
