/* SPDX-License-Identifier: MIT */

/*
 * Error codes, from both sides. The input's first eight bytes are a wire code, both as they are and moved
 * into the range of application codes; its first four are an application's code.
 */

#include "fuzz.h"

#include <string.h>

#include "wire/error_code.h"

#define RANGE (WT__APPLICATION_ERROR_LAST - WT__APPLICATION_ERROR_FIRST + 1)

static void check_wire(uint64_t wire) {
  uint32_t code = 0;
  bool inside = wire >= WT__APPLICATION_ERROR_FIRST && wire <= WT__APPLICATION_ERROR_LAST;
  bool reserved = wire % 0x1f == 0x21 % 0x1f;
  bool mapped = wt__error_from_wire(wire, &code);
  FUZZ_CHECK(mapped == (inside && !reserved));
  if (mapped) {
    FUZZ_CHECK(wt__error_to_wire(code) == wire);
    FUZZ_CHECK(!wt__wire_error_name(wire));
  }
  const char *name = wt__wire_error_name(wire);
  FUZZ_CHECK(!name || (wire <= UINT32_MAX && (strncmp(name, "H3_", 3) == 0 || strncmp(name, "QPACK_", 6) == 0 ||
                                              strncmp(name, "WT_", 3) == 0)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint64_t wire = 0;
  uint32_t code = 0, back = 0;
  memcpy(&wire, data, size < 8 ? size : 8);
  memcpy(&code, data, size < 4 ? size : 4);
  check_wire(wire);
  check_wire(wire & 0x3ff);
  check_wire(WT__APPLICATION_ERROR_FIRST + wire % RANGE);
  uint64_t there = wt__error_to_wire(code);
  FUZZ_CHECK(there >= WT__APPLICATION_ERROR_FIRST && there <= WT__APPLICATION_ERROR_LAST);
  FUZZ_CHECK(wt__error_from_wire(there, &back) && back == code);
  if (code < UINT32_MAX) {
    uint64_t step = wt__error_to_wire(code + 1) - there;
    FUZZ_CHECK(step == 1 || (step == 2 && (there + 1) % 0x1f == 0x21 % 0x1f));
  }
  return 0;
}
