/* SPDX-License-Identifier: MIT */

/*
 * May these bytes be a field's name, or its value?
 *
 * A message with a character that is not allowed is malformed as a whole (RFC 9114, section 10.3): a field that is
 * dropped instead is a field that a check upstream saw and a check here did not. HTTP/3 carries names and values as
 * counted bytes, so anything can be in them, NUL and line ends too. We keep both as NUL-terminated text and give them to
 * applications as such; that is safe only because this check stands before it.
 *
 * A value is visible ASCII, bytes from 0x80 on (obs-text), and inside it spaces and HTAB. RFC 9110 lets a recipient
 * keep other control characters; we have no use for them, and logs and scripts downstream are safer without them.
 */

#include "wire/field.h"

static bool is_token_char(uint8_t c) {
  if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) return true;
  switch (c) {
    case '!':
    case '#':
    case '$':
    case '%':
    case '&':
    case '\'':
    case '*':
    case '+':
    case '-':
    case '.':
    case '^':
    case '_':
    case '`':
    case '|':
    case '~': return true;
    default: return false;
  }
}

bool wt__field_name_valid(const uint8_t *name, size_t len) {
  size_t at = len > 0 && name[0] == ':' ? 1 : 0;
  if (at == len) return false;
  for (; at < len; at++) {
    if (!is_token_char(name[at])) return false;
  }
  return true;
}

static bool is_space(uint8_t c) { return c == ' ' || c == '\t'; }

/* Without a branch in the loop, so that compilers make vector code of it: values of some kilobytes are common. */
bool wt__field_value_valid(const uint8_t *value, size_t len) {
  unsigned bad = 0;
  if (len == 0) return true;
  if (is_space(value[0]) || is_space(value[len - 1])) return false;
  for (size_t i = 0; i < len; i++) {
    unsigned c = value[i];
    bad |= (unsigned)(c < 0x20) & (unsigned)(c != '\t');
    bad |= (unsigned)(c == 0x7f);
  }
  return bad == 0;
}
