/* SPDX-License-Identifier: MIT */
/* The field section of a response, as a client receives it: see fields.c. */

#include "fields.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fields_play(true, data, size);
  return 0;
}
