/* SPDX-License-Identifier: MIT */

/*
 * Origins. The input is two texts, parted by a newline. Equality is symmetric and does not depend on case;
 * an origin equal to itself is the same as its own authority when it is https, and a path or a blank at
 * its end makes it nothing.
 */

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "wire/origin.h"

#define TEXT_MAX 256

static void flip_case(char *s) {
  for (; *s; s++) {
    if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')) *s ^= 0x20;
  }
}

static void check_one(const char *origin) {
  char changed[TEXT_MAX + 2];
  bool valid = wt__origin_equal(origin, origin);
  strcpy(changed, origin);
  flip_case(changed);
  FUZZ_CHECK(wt__origin_equal(origin, changed) == valid);
  strcpy(changed, origin);
  strcat(changed, "/");
  FUZZ_CHECK(!wt__origin_equal(changed, changed));
  changed[strlen(origin)] = ' ';
  FUZZ_CHECK(!wt__origin_equal(changed, changed));
  bool https = strncasecmp(origin, "https://", 8) == 0;
  if (https) FUZZ_CHECK(wt__origin_same(origin, origin + 8) == valid);
  if (valid) {
    FUZZ_CHECK(strstr(origin, "://") && !strpbrk(origin, "@?#,\\ \t"));
    FUZZ_CHECK(strcasecmp(origin, "null") != 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char text[TEXT_MAX];
  if (size >= sizeof(text)) return 0;
  if (size) memcpy(text, data, size);
  text[size] = '\0';
  char *newline = strchr(text, '\n');
  const char *b = "example.com";
  if (newline) {
    *newline = '\0';
    b = newline + 1;
  }
  check_one(text);
  check_one(b);
  bool equal = wt__origin_equal(text, b);
  FUZZ_CHECK(equal == wt__origin_equal(b, text));
  if (equal) FUZZ_CHECK(wt__origin_equal(text, text) && wt__origin_equal(b, b));
  if (wt__origin_same(text, b)) {
    char other[TEXT_MAX + 8] = "https://";
    strcat(other, b);
    FUZZ_CHECK(wt__origin_equal(text, other));
    FUZZ_CHECK(wt__origin_same(other, b));
  }
  return 0;
}
