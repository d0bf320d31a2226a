/* SPDX-License-Identifier: MIT */

/*
 * UTF-8 as RFC 3629, section 4, defines it:
 *
 *     00..7f
 *     c2..df 80..bf
 *     e0     a0..bf 80..bf           (below: overlong)
 *     e1..ef 80..bf 80..bf           (ed: second byte to 9f; above: surrogates)
 *     f0     90..bf 80..bf 80..bf    (below: overlong)
 *     f1..f3 80..bf 80..bf 80..bf
 *     f4     80..8f 80..bf 80..bf    (above: past U+10FFFF)
 *
 * The receiver of a close reason must refuse anything else, and the sender of a long one must cut it
 * between characters (draft section 6). Here a character is a code point: a cut may part an accent
 * from its letter, which is still valid. A NUL is a character as any other.
 */

#include "wire/utf8.h"

static bool utf8_is_continuation(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/* The length of the well-formed character at `s`, 0 if there is none. */
static size_t utf8_character_len(const char *s, size_t len) {
  unsigned char first = (unsigned char)s[0];
  if (first < 0x80) return 1;
  size_t n = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (n == 0 || n > len) return 0;
  unsigned char second = (unsigned char)s[1];
  if (first == 0xe0 && second < 0xa0) return 0;
  if (first == 0xed && second > 0x9f) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second > 0x8f) return 0;
  for (size_t i = 1; i < n; i++) {
    if (!utf8_is_continuation(s[i])) return 0;
  }
  return n;
}

bool wt__utf8_valid(const char *s, size_t len) {
  for (size_t i = 0; i < len;) {
    size_t n = utf8_character_len(s + i, len - i);
    if (n == 0) return false;
    i += n;
  }
  return true;
}

size_t wt__utf8_cut(const char *s, size_t len, size_t max) {
  if (len <= max) return len;
  size_t n = max;
  while (n > 0 && utf8_is_continuation(s[n])) n--;
  return n;
}

static bool utf8_is_control(const char *s, size_t len) {
  unsigned char first = (unsigned char)s[0];
  if (len == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && (unsigned char)s[1] < 0xa0; /* U+0080 to U+009F */
}

size_t wt__utf8_show(char *dst, size_t size, const char *s, size_t len) {
  size_t used = 0;
  while (len > 0) {
    size_t n = utf8_character_len(s, len);
    bool shown = n > 0 && !utf8_is_control(s, n);
    size_t taken = n > 0 ? n : 1, written = shown ? n : 1;
    if (written > size - 1 - used) break;
    if (shown) {
      for (size_t i = 0; i < n; i++) dst[used + i] = s[i];
    } else {
      dst[used] = '?';
    }
    used += written;
    s += taken;
    len -= taken;
  }
  dst[used] = '\0';
  return used;
}
