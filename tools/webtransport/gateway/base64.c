/* SPDX-License-Identifier: MIT */
/*
 * Base64 (RFC 4648), read strictly: bits that are left over have to be zero, so that a text has one meaning and a meaning
 * has one text.
 */
#include "gateway/base64.h"

static int digit_value(char digit, bool url) {
  if (digit >= 'A' && digit <= 'Z') return digit - 'A';
  if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
  if (digit >= '0' && digit <= '9') return digit - '0' + 52;
  if (digit == (url ? '-' : '+')) return 62;
  if (digit == (url ? '_' : '/')) return 63;
  return -1;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool decode(const char *text, size_t len, bool url, uint8_t *out, size_t size, size_t *out_len) {
  uint32_t bits = 0;
  unsigned count = 0; /* of the bits that wait */
  size_t used = 0, padding = 0, digits = 0;
  for (size_t i = 0; i < len; i++) {
    if (!url && is_blank(text[i])) continue;
    if (!url && text[i] == '=') {
      padding++;
      continue;
    }
    int value = digit_value(text[i], url);
    if (value < 0 || padding) return false;
    digits++;
    bits = bits << 6 | (uint32_t)value;
    count += 6;
    if (count < 8) continue;
    if (used == size) return false;
    count -= 8;
    out[used++] = (uint8_t)(bits >> count);
    bits &= (1u << count) - 1;
  }
  *out_len = used;
  return bits == 0 && digits % 4 != 1 && (url || (digits + padding) % 4 == 0) && padding <= 2;
}

bool base64_url_decode(const char *text, size_t len, uint8_t *out, size_t size, size_t *out_len) {
  return decode(text, len, true, out, size, out_len);
}

bool base64_pem_decode(const char *text, size_t len, uint8_t *out, size_t size, size_t *out_len) {
  return decode(text, len, false, out, size, out_len);
}
