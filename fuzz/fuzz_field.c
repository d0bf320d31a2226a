/* SPDX-License-Identifier: MIT */

/* Names and values of fields. Allowed text has no NUL, so it is as long as a C string as it is counted; a byte that is
 * not allowed alone spoils what it is put into. */

#include "fuzz.h"

#include <string.h>

#include "wire/field.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char text[256];
  bool name = wt__field_name_valid(data, size), value = wt__field_value_valid(data, size);
  if (size >= sizeof(text)) return 0;
  memcpy(text, data, size);
  text[size] = '\0';
  if (name || value) FUZZ_CHECK(strlen(text) == size);
  if (name) FUZZ_CHECK(size > 0 && value);
  for (size_t i = 0; i < size; i++) {
    bool space = data[i] == ' ' || data[i] == '\t';
    if (!space && !wt__field_value_valid(data + i, 1)) FUZZ_CHECK(!value && !name);
  }
  return 0;
}
