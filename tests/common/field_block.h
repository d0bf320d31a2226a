/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FIELD_BLOCK_H
#define TESTS_FIELD_BLOCK_H

/*
 * Field sections in QPACK (RFC 9204, section 4.5), byte for byte as a test wants them: names and values may have NULs,
 * line ends and upper case, which no encoder of a library writes. Literals only, no Huffman code.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FIELD_BLOCK_MAX 65536

struct field_block {
  uint8_t data[FIELD_BLOCK_MAX];
  size_t len;
};

static inline void field_block_byte(struct field_block *block, unsigned byte) {
  assert(block->len < FIELD_BLOCK_MAX);
  block->data[block->len++] = (uint8_t)byte;
}

/* An integer with a prefix of `bits` bits in a byte whose other bits are `first` (RFC 7541, section 5.1). */
static inline void field_block_int(struct field_block *block, unsigned first, unsigned bits, size_t value) {
  size_t most = ((size_t)1 << bits) - 1;
  if (value < most) {
    field_block_byte(block, first | (unsigned)value);
    return;
  }
  field_block_byte(block, first | (unsigned)most);
  for (value -= most; value >= 128; value >>= 7) field_block_byte(block, (unsigned)(value & 127) | 128);
  field_block_byte(block, (unsigned)value);
}

static inline void field_block_bytes(struct field_block *block, const void *data, size_t len) {
  assert(len <= FIELD_BLOCK_MAX - block->len);
  if (len > 0) memcpy(block->data + block->len, data, len);
  block->len += len;
}

/* The prefix of a section that refers to nothing in the dynamic table. */
static inline void field_block_begin(struct field_block *block) {
  block->len = 0;
  field_block_byte(block, 0);
  field_block_byte(block, 0);
}

static inline void field_block_add(struct field_block *block, const void *name, size_t name_len, const void *value,
                                   size_t value_len) {
  field_block_int(block, 0x20, 3, name_len);
  field_block_bytes(block, name, name_len);
  field_block_int(block, 0x00, 7, value_len);
  field_block_bytes(block, value, value_len);
}

static inline void field_block_text(struct field_block *block, const char *name, const char *value) {
  field_block_add(block, name, strlen(name), value, strlen(value));
}

/* The pseudo-header fields of a request; `protocol` may be NULL. */
static inline void field_block_request(struct field_block *block, const char *method, const char *protocol,
                                       const char *authority, const char *path) {
  field_block_begin(block);
  field_block_text(block, ":method", method);
  if (protocol) field_block_text(block, ":protocol", protocol);
  field_block_text(block, ":scheme", "https");
  field_block_text(block, ":authority", authority);
  field_block_text(block, ":path", path);
}

#endif
