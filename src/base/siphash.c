/* SPDX-License-Identifier: MIT */

/*
 * Four words of state that each word of the input goes through: two rounds for each word, four at the end. The last word
 * has the bytes that are left over, and the length in its highest byte.
 */

#include "base/siphash.h"

struct sip {
  uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t x, unsigned by) { return x << by | x >> (64 - by); }

static uint64_t read_le(const uint8_t *bytes, size_t len) {
  uint64_t word = 0;
  for (size_t i = 0; i < len; i++) word |= (uint64_t)bytes[i] << (8 * i);
  return word;
}

static void sip_rounds(struct sip *s, int count) {
  while (count-- > 0) {
    s->a += s->b;
    s->c += s->d;
    s->b = rotate(s->b, 13) ^ s->a;
    s->d = rotate(s->d, 16) ^ s->c;
    s->a = rotate(s->a, 32);
    s->c += s->b;
    s->a += s->d;
    s->b = rotate(s->b, 17) ^ s->c;
    s->d = rotate(s->d, 21) ^ s->a;
    s->c = rotate(s->c, 32);
  }
}

static void sip_word(struct sip *s, uint64_t word) {
  s->d ^= word;
  sip_rounds(s, 2);
  s->a ^= word;
}

uint64_t wt__siphash(const uint8_t key[WT__SIPHASH_KEY_LEN], const void *data, size_t len) {
  const uint8_t *bytes = data;
  uint64_t low = read_le(key, 8), high = read_le(key + 8, 8);
  struct sip s = {low ^ UINT64_C(0x736f6d6570736575), high ^ UINT64_C(0x646f72616e646f6d),
                  low ^ UINT64_C(0x6c7967656e657261), high ^ UINT64_C(0x7465646279746573)};
  size_t whole = len & ~(size_t)7;
  for (size_t at = 0; at < whole; at += 8) sip_word(&s, read_le(bytes + at, 8));
  sip_word(&s, read_le(bytes + whole, len - whole) | (uint64_t)len << 56);
  s.c ^= 0xff;
  sip_rounds(&s, 4);
  return s.a ^ s.b ^ s.c ^ s.d;
}
