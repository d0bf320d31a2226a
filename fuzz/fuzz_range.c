/* SPDX-License-Identifier: MIT */

/*
 * Ranges. The first eight bytes are the size of the representation, the rest the value of the field. One range
 * lies inside the representation, and written out it reads the same; else nothing is stored.
 */

#include "fuzz.h"

#include <string.h>

#include "wire/range.h"

static void check_size(const char *value, uint64_t size) {
  uint64_t first = 1234567, last = 7654321, first2, last2;
  enum wt__range_result result = wt__range_read(value, size, &first, &last);
  if (result != WT__RANGE_ONE) {
    FUZZ_CHECK(result == WT__RANGE_NONE || result == WT__RANGE_UNSATISFIABLE);
    FUZZ_CHECK(first == 1234567 && last == 7654321);
    return;
  }
  char text[64];
  FUZZ_CHECK(first <= last && last < size);
  snprintf(text, sizeof(text), "bytes=%llu-%llu", (unsigned long long)first, (unsigned long long)last);
  FUZZ_CHECK(wt__range_read(text, size, &first2, &last2) == WT__RANGE_ONE && first2 == first && last2 == last);
  snprintf(text, sizeof(text), "bytes=-%llu", (unsigned long long)(size - first));
  FUZZ_CHECK(wt__range_read(text, size, &first2, &last2) == WT__RANGE_ONE && first2 == first && last2 == size - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  char value[128];
  uint64_t size;
  if (len < sizeof(size) || len - sizeof(size) >= sizeof(value)) return 0;
  memcpy(&size, data, sizeof(size));
  memcpy(value, data + sizeof(size), len - sizeof(size));
  value[len - sizeof(size)] = '\0';
  check_size(value, size);
  check_size(value, size & 0x3ff);
  check_size(value, 0);
  check_size(value, UINT64_MAX);
  return 0;
}
