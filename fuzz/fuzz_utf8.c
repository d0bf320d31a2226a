/* SPDX-License-Identifier: MIT */

/*
 * UTF-8. A second, slower decoder that builds each code point must agree on what is well-formed; valid
 * text is cut into two valid halves at every bound, and any text is cut within its bound.
 */

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "wire/utf8.h"

/* Decodes code points and judges them afterwards, by their value. */
static bool slow_valid(const uint8_t *s, size_t len) {
  for (size_t i = 0; i < len;) {
    uint32_t c = s[i++];
    if (c < 0x80) continue;
    size_t more = c >> 5 == 6 ? 1 : c >> 4 == 14 ? 2 : c >> 3 == 30 ? 3 : 0;
    if (more == 0 || more > len - i) return false;
    c &= 0x3fu >> more;
    for (size_t k = 0; k < more; k++) {
      if (s[i] >> 6 != 2) return false;
      c = c << 6 | (s[i++] & 0x3f);
    }
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return false;
  }
  return true;
}

/* What is shown is text, fits, and has nothing in it that a terminal obeys. */
static void check_shown(const char *s, size_t size) {
  char shown[64];
  size_t room = size % sizeof(shown) + 1, len = wt__utf8_show(shown, room, s, size);
  FUZZ_CHECK(len < room && shown[len] == '\0' && strlen(shown) == len && wt__utf8_valid(shown, len));
  for (size_t i = 0; i < len; i++) {
    unsigned char byte = (unsigned char)shown[i];
    FUZZ_CHECK(byte >= 0x20 && byte != 0x7f);
    FUZZ_CHECK(byte != 0xc2 || (unsigned char)shown[i + 1] >= 0xa0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  check_shown(s, size);
  bool valid = wt__utf8_valid(s, size);
  FUZZ_CHECK(valid == slow_valid(data, size));
  size_t last = 0;
  for (size_t max = 0; max <= size + 1 && max < 300; max++) {
    size_t cut = wt__utf8_cut(s, size, max);
    FUZZ_CHECK(cut <= max && cut <= size && cut >= last);
    if (max >= size) FUZZ_CHECK(cut == size);
    if (valid) {
      FUZZ_CHECK(max >= size || max - cut <= 3);
      FUZZ_CHECK(wt__utf8_valid(s, cut) && wt__utf8_valid(s + cut, size - cut));
    }
    last = cut;
  }
  return 0;
}
