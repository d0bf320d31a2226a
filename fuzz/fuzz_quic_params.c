/* SPDX-License-Identifier: MIT */

/*
 * Transport parameters. Whatever they are, looking through them stays inside; behind parameters of ours the
 * answer is at least "present", unless a later one is malformed.
 */

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "wire/quic_params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum wt__reset_at_param alone = wt__quic_params_find_reset_at(data, size);
  uint8_t *both = malloc(size + WT__RESET_AT_PARAMS_LEN);
  FUZZ_CHECK(both);
  size_t len = wt__quic_params_write_reset_at(both);
  FUZZ_CHECK(len == WT__RESET_AT_PARAMS_LEN);
  if (size) memcpy(both + len, data, size);
  enum wt__reset_at_param behind = wt__quic_params_find_reset_at(both, len + size);
  FUZZ_CHECK(behind == (alone == WT__RESET_AT_MALFORMED ? WT__RESET_AT_MALFORMED : WT__RESET_AT_PRESENT));
  free(both);
  return 0;
}
