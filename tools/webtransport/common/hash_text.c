/* SPDX-License-Identifier: MIT */
/*
 * A certificate's SHA-256 as text: in hexadecimal for people, in base64 for scripts. values.h reads both.
 */
#include "common/hash_text.h"

#include <stddef.h>
#include <stdio.h>

void hash_hex(const uint8_t hash[32], char text[65]) {
  for (size_t i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

void hash_base64(const uint8_t hash[32], char text[45]) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *out = text;
  for (size_t i = 0; i < 32; i += 3) {
    uint32_t bits = (uint32_t)hash[i] << 16 | (uint32_t)hash[i + 1] << 8 | (i + 2 < 32 ? hash[i + 2] : 0u);
    *out++ = digits[bits >> 18];
    *out++ = digits[bits >> 12 & 63];
    *out++ = digits[bits >> 6 & 63];
    *out++ = i + 2 < 32 ? digits[bits & 63] : '=';
  }
  *out = 0;
}
