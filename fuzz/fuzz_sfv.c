/* SPDX-License-Identifier: MIT */

/*
 * Structured fields. Checking a list and walking it agree; members that were read, written again, make a
 * list with the same members; what is an Item that is a String is also a list of one.
 */

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "wire/sfv.h"

#define MEMBER_MAX 64

/* Walks the list; writes its members, joined again, to `dst`. -1 if malformed, else how many. */
static int rewrite(const char *s, size_t size, char *dst, size_t room, size_t *len) {
  struct wt__sfv_list list = {s, s + size, true};
  char member[MEMBER_MAX + 1];
  size_t member_len;
  int rc, count = 0;
  *len = 0;
  while ((rc = wt__sfv_list_next(&list, member, sizeof(member), &member_len)) == 1) {
    FUZZ_CHECK(member_len <= MEMBER_MAX && strlen(member) == member_len);
    FUZZ_CHECK(list.at > s && list.at <= list.end);
    if (count++) {
      memcpy(dst + *len, ", ", 2);
      *len += 2;
    }
    size_t n = wt__sfv_string_write(dst + *len, room - *len, member);
    FUZZ_CHECK(n >= member_len + 2);
    *len += n;
  }
  FUZZ_CHECK(rc == 0 || rc == -1);
  return rc ? -1 : count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char first[16384], second[16384];
  if (size > 4096) return 0;
  const char *s = (const char *)data;
  char item[MEMBER_MAX + 1];
  size_t first_len, second_len;
  if (size == 0) s = "";
  int count = rewrite(s, size, first, sizeof(first), &first_len);
  FUZZ_CHECK(wt__sfv_list_valid(s, size, MEMBER_MAX) == (count >= 0));
  if (count >= 0) {
    FUZZ_CHECK(rewrite(first, first_len, second, sizeof(second), &second_len) == count);
    FUZZ_CHECK(first_len == second_len && memcmp(first, second, first_len) == 0);
    FUZZ_CHECK(wt__sfv_list_valid(s, size, MEMBER_MAX + 1));
  }
  if (wt__sfv_string_read(s, size, item, sizeof(item)) == 0) {
    FUZZ_CHECK(count == 1);
    FUZZ_CHECK(wt__sfv_string_write(second, sizeof(second), item) == first_len);
    FUZZ_CHECK(memcmp(first, second, first_len) == 0);
  }
  return 0;
}
