/* SPDX-License-Identifier: MIT */
#ifndef WT_FUZZ_FUZZ_H
#define WT_FUZZ_FUZZ_H

/* What every fuzz target needs: its entry point and a check that is never compiled out. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                 \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                \
    }                                                                         \
  } while (0)

#endif
