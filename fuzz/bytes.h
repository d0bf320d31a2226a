/* SPDX-License-Identifier: MIT */
#ifndef WT_FUZZ_BYTES_H
#define WT_FUZZ_BYTES_H

/* Bytes that a hostile peer sends, put together from a script: varints, frames, field sections, SETTINGS. */

#include <stddef.h>
#include <stdint.h>

#include "script.h"

#define CHUNK_MAX 2048

/* What does not fit is left out. */
struct chunk {
  uint8_t data[CHUNK_MAX];
  size_t len;
};

void chunk_byte(struct chunk *chunk, uint8_t byte);
void chunk_bytes(struct chunk *chunk, const void *data, size_t len);
void chunk_varint(struct chunk *chunk, uint64_t value);
/* Type, length, payload: a frame of HTTP/3, or a capsule. */
void chunk_frame(struct chunk *chunk, uint64_t type, const struct chunk *payload);
/* Bytes of the script. */
void chunk_script(struct chunk *chunk, struct script *script);
/* A HEADERS frame: a preset, and fields of the script. */
void chunk_headers(struct chunk *chunk, struct script *script);
/* A control stream's type and SETTINGS: a preset. */
void chunk_settings(struct chunk *chunk, struct script *script);

/* An error code, a frame's type of HTTP/3, a capsule's type. */
uint64_t script_some_code(struct script *script);
uint64_t script_some_type(struct script *script);
uint64_t script_some_capsule(struct script *script);

#endif
