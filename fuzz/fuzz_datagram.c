/* SPDX-License-Identifier: MIT */

/*
 * The head of a datagram: what is read is a session's id, fits, and survives writing and reading again;
 * what follows the header has no influence.
 */

#include "fuzz.h"

#include "wire/datagram.h"
#include "wire/varint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  int64_t id = -1, back = -1;
  size_t n = wt__datagram_header_read(data, size, &id);
  FUZZ_CHECK(n <= size && n <= WT__DATAGRAM_HEADER_MAX);
  if (n == 0) {
    uint64_t quarter = 0;
    FUZZ_CHECK(id == -1);
    FUZZ_CHECK(wt__varint_read(data, size, &quarter) == 0 || quarter > WT__VARINT_MAX / 4);
    return 0;
  }
  FUZZ_CHECK(id >= 0 && id % 4 == 0 && (uint64_t)id <= WT__VARINT_MAX);
  FUZZ_CHECK(wt__datagram_header_read(data, n, &back) == n && back == id);
  FUZZ_CHECK(wt__datagram_header_read(data, n - 1, &back) == 0);
  uint8_t bytes[WT__DATAGRAM_HEADER_MAX];
  size_t written = wt__datagram_header_write(bytes, id);
  FUZZ_CHECK(written <= n && written == wt__datagram_header_len(id));
  FUZZ_CHECK(wt__datagram_header_read(bytes, written, &back) == written && back == id);
  return 0;
}
