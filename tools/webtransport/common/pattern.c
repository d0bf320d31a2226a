/* SPDX-License-Identifier: MIT */
/*
 * The bytes that /source sends and `webtransport bench` compares: byte i is (i * 31 + (i >> 8)) modulo 256. A receiver
 * can check each byte by its offset alone. Neighbours differ, and so do blocks of 256 bytes, so lost, doubled and
 * swapped packets show. The pattern has a period of 65,536 bytes: one static array holds it, which all streams share.
 */
#include "common/pattern.h"

#include <pthread.h>
#include <string.h>

static uint8_t pattern[PATTERN_PERIOD];

static void pattern_make(void) {
  for (uint32_t i = 0; i < PATTERN_PERIOD; i++) pattern[i] = (uint8_t)(i * 31 + (i >> 8));
}

const uint8_t *pattern_bytes(uint64_t at, uint64_t left, size_t *len) {
  static pthread_once_t made = PTHREAD_ONCE_INIT; /* several threads may call this first */
  pthread_once(&made, pattern_make);
  size_t from = (size_t)(at % PATTERN_PERIOD);
  *len = PATTERN_PERIOD - from;
  if (*len > left) *len = (size_t)left;
  return pattern + from;
}

void pattern_release(const uint8_t *data, size_t len, void *user_data) {
  (void)data;
  (void)len;
  (void)user_data;
}

bool pattern_matches(uint64_t at, const uint8_t *data, size_t len) {
  while (len) {
    size_t run;
    const uint8_t *expected = pattern_bytes(at, len, &run);
    if (memcmp(data, expected, run) != 0) return false;
    at += run;
    data += run;
    len -= run;
  }
  return true;
}
