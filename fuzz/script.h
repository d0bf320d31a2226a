/* SPDX-License-Identifier: MIT */
#ifndef WT_FUZZ_SCRIPT_H
#define WT_FUZZ_SCRIPT_H

/*
 * The input of a connection target, read as a script. The first SCRIPT_DECISIONS bytes are a ring of decisions, from
 * which the application draws in its callbacks; the steps follow. Reading past the end gives zeros, so that every input
 * is a script.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_DECISIONS 16

struct script {
  const uint8_t *decisions; /* SCRIPT_DECISIONS bytes */
  size_t decision;
  const uint8_t *at, *end;
};

/* False: the input is too short to be a script. */
static inline bool script_init(struct script *script, const uint8_t *data, size_t size) {
  if (size <= SCRIPT_DECISIONS) return false;
  *script = (struct script){data, 0, data + SCRIPT_DECISIONS, data + size};
  return true;
}

static inline bool script_is_over(const struct script *script) { return script->at == script->end; }

static inline uint8_t script_byte(struct script *script) { return script->at < script->end ? *script->at++ : 0; }

static inline uint64_t script_number(struct script *script) {
  uint64_t high = script_byte(script);
  return high << 8 | script_byte(script);
}

/* A length byte, and as many bytes as are left of those. */
static inline const uint8_t *script_bytes(struct script *script, size_t *len) {
  const uint8_t *bytes;
  *len = script_byte(script);
  bytes = script->at;
  if (*len > (size_t)(script->end - script->at)) *len = (size_t)(script->end - script->at);
  script->at += *len;
  return bytes;
}

/* The next decision of the application, below `count`. */
static inline unsigned script_decide(struct script *script, unsigned count) {
  return script->decisions[script->decision++ % SCRIPT_DECISIONS] % count;
}

#endif
