/* SPDX-License-Identifier: MIT */

/*
 * Varints. The input is read as one varint after the other; a second pass takes its first eight bytes
 * as a number to write. What was read can be written again, no longer than before, and reads the same;
 * a truncated one is never read.
 */

#include "fuzz.h"

#include <string.h>

#include "wire/varint.h"

static void check_round_trip(uint64_t value, size_t longest) {
  uint8_t bytes[8];
  uint64_t back = ~value;
  size_t n = wt__varint_write(bytes, value);
  FUZZ_CHECK(n == wt__varint_len(value) && n <= longest);
  FUZZ_CHECK(n == wt__varint_len_of(bytes[0]));
  FUZZ_CHECK(wt__varint_read(bytes, n, &back) == n && back == value);
  for (size_t len = 0; len < n; len++) FUZZ_CHECK(wt__varint_read(bytes, len, &back) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  for (size_t at = 0; at < size;) {
    uint64_t value;
    size_t n = wt__varint_read(data + at, size - at, &value);
    FUZZ_CHECK(n <= size - at);
    FUZZ_CHECK((n == 0) == (wt__varint_len_of(data[at]) > size - at));
    if (n == 0) break;
    FUZZ_CHECK(value <= WT__VARINT_MAX);
    check_round_trip(value, n);
    at += n;
  }
  uint64_t number = 0;
  memcpy(&number, data, size < 8 ? size : 8);
  check_round_trip(number & WT__VARINT_MAX, 8);
  return 0;
}
