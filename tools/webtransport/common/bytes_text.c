/* SPDX-License-Identifier: MIT */
#include "common/bytes_text.h"

#include <string.h>

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool bytes_from_hex(const char *text, uint8_t *bytes, size_t max, size_t *len) {
  size_t count = 0;
  if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) text += 2;
  for (; *text; text += 2) {
    int high = hex_digit(text[0]);
    int low = high < 0 ? -1 : hex_digit(text[1]);
    if (low < 0 || count == max) return false;
    bytes[count++] = (uint8_t)(high << 4 | low);
  }
  if (count == 0) return false;
  *len = count;
  return true;
}

static int base64_digit(char c) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *at = c ? strchr(digits, c) : NULL;
  return at ? (int)(at - digits) : -1;
}

/* Four digits are three bytes; '=' at the end stands for a digit that is missing, and bits that are left over are 0. */
bool bytes_from_base64(const char *text, uint8_t *bytes, size_t max, size_t *len) {
  size_t size = strlen(text), padding = 0, count = 0;
  uint32_t bits = 0;
  if (size == 0 || size % 4) return false;
  while (padding < 2 && text[size - 1 - padding] == '=') padding++;
  for (size_t i = 0; i < size - padding; i++) {
    int digit = base64_digit(text[i]);
    if (digit < 0) return false;
    bits = bits << 6 | (uint32_t)digit;
    if (i % 4 == 0) continue; /* digits 2, 3 and 4 complete a byte */
    if (count == max) return false;
    bytes[count++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
  }
  if (bits & (padding == 1 ? 3u : padding == 2 ? 15u : 0u)) return false;
  *len = count;
  return true;
}
