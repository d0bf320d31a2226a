/* SPDX-License-Identifier: MIT */
/*
 * Texts of peers on a terminal. The terminal must not obey them (move the cursor, set the title, type for the user), so
 * control characters are printed as \x1b. A C1 control character is two bytes in UTF-8, of which the second is escaped.
 */
#include "common/visible_text.h"

#include <stdio.h>

bool is_control(uint8_t byte, uint8_t last) {
  if (byte == '\n' || byte == '\t') return false;
  return byte < 0x20 || byte == 0x7f || (last == 0xc2 && byte >= 0x80 && byte < 0xa0);
}

const char *visible_text(const char *text, char *out, size_t size) {
  size_t len = 0;
  uint8_t last = 0;
  for (; *text && len + 5 < size; text++) {
    uint8_t byte = (uint8_t)*text;
    bool control = byte == '\n' || byte == '\t' || is_control(byte, last);
    len += (size_t)snprintf(out + len, size - len, control ? "\\x%02x" : "%c", byte);
    last = byte;
  }
  out[len] = 0;
  return out;
}
