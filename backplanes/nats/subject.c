/* SPDX-License-Identifier: MIT */

/*
 * Names of topics as NATS subjects: see subject.h.
 */

#include "subject.h"

static const char digits[] = "0123456789ABCDEF";

static bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

size_t wt__subject_encode(char *word, const char *topic, size_t len) {
  size_t n = 0;
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)topic[i];
    if (is_plain(topic[i])) {
      word[n++] = topic[i];
    } else {
      word[n++] = '=';
      word[n++] = digits[c >> 4];
      word[n++] = digits[c & 15];
    }
  }
  word[n] = 0;
  return n;
}

/* The value of an upper-case digit, or -1. */
static int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

size_t wt__subject_decode(char *topic, const char *word, size_t len) {
  size_t n = 0;
  for (size_t i = 0; i < len; i++) {
    char c = word[i];
    if (c == '=') {
      int high = len - i > 2 ? digit_value(word[i + 1]) : -1, low = high < 0 ? -1 : digit_value(word[i + 2]);
      if (low < 0) return 0;
      c = (char)(high * 16 + low);
      if (is_plain(c)) return 0; /* each topic has one word */
      i += 2;
    } else if (!is_plain(c)) {
      return 0;
    }
    topic[n++] = c;
  }
  return n;
}

bool wt__subject_is_prefix(const char *text) {
  bool in_word = false;
  for (; *text; text++) {
    if (*text == '.' ? !in_word : !is_plain(*text)) return false;
    in_word = *text != '.';
  }
  return in_word;
}
