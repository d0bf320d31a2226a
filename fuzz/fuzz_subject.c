/* SPDX-License-Identifier: MIT */

/*
 * Topics as NATS subjects: any topic comes back, its word has nothing that NATS would interpret, and a word that is read is
 * the one that would be written.
 */

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "subject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *word = malloc(WT__SUBJECT_MAX(size)), *topic = malloc(WT__SUBJECT_MAX(size));
  size_t len = wt__subject_encode(word, (const char *)data, size);
  FUZZ_CHECK(len < WT__SUBJECT_MAX(size) && strlen(word) == len && !strpbrk(word, ". *>\t\r\n"));
  FUZZ_CHECK(wt__subject_decode(topic, word, len) == size && (size == 0 || memcmp(topic, data, size) == 0));
  size_t n = wt__subject_decode(topic, (const char *)data, size);
  FUZZ_CHECK(n <= size);
  if (n > 0) FUZZ_CHECK(wt__subject_encode(word, topic, n) == size && memcmp(word, data, size) == 0);
  free(word);
  free(topic);
  return 0;
}
