/* SPDX-License-Identifier: MIT */

/*
 * Request targets. The first byte is the size of the output, the rest the text. Nothing is written past that
 * size; a file path never begins with a slash and never holds an empty, "." or ".." segment, a NUL
 * or a backslash; an answer does not depend on how much room is left over.
 */

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include <webtransport/error.h>

#include "wire/target.h"

#define TEXT_MAX 1024
#define GUARD 0x5a

static char dst[TEXT_MAX + 64], large[TEXT_MAX + 64];

static void guard_set(void) { memset(dst, GUARD, sizeof(dst)); }

static void guard_check(size_t size) {
  for (size_t i = size; i < sizeof(dst); i++) FUZZ_CHECK(dst[i] == GUARD);
}

static void check_segments(const char *path) {
  FUZZ_CHECK(*path && *path != '/' && !strchr(path, '\\'));
  for (;;) {
    size_t len = strcspn(path, "/");
    FUZZ_CHECK(len > 0);
    FUZZ_CHECK(!(len == 1 && path[0] == '.') && !(len == 2 && path[0] == '.' && path[1] == '.'));
    if (!path[len]) return;
    path += len + 1;
  }
}

/* A result for `size` bytes of room agrees with the one for plenty. */
static void check_room(int rc, int plenty, size_t size) {
  guard_check(size);
  if (rc >= 0) {
    FUZZ_CHECK(rc == plenty && (size_t)rc < size && strlen(dst) == (size_t)rc);
    FUZZ_CHECK(strcmp(dst, large) == 0);
  } else if (plenty >= 0) {
    FUZZ_CHECK((size_t)plenty >= size);
  }
}

static void check_query(const char *text, size_t size) {
  int plenty = wt__target_query_value(text, "a", large, sizeof(large));
  FUZZ_CHECK(plenty == 0 || plenty == WT_ERR_NOT_FOUND || plenty == WT_ERR_INVALID);
  guard_set();
  int rc = wt__target_query_value(text, "a", dst, size);
  guard_check(size);
  FUZZ_CHECK(rc == plenty || (plenty == 0 && rc == WT_ERR_TOO_LARGE && strlen(large) >= size));
  if (rc == 0) FUZZ_CHECK(strcmp(dst, large) == 0);
}

/* Every parameter is given once, in order; the first of a name is the one that a search finds. */
static void check_query_walk(const char *text, size_t size) {
  char name[TEXT_MAX], value[TEXT_MAX];
  bool found = false;
  int rc = 0;
  for (size_t i = 0; rc != WT_ERR_NOT_FOUND; i++) {
    FUZZ_CHECK(i <= TEXT_MAX);
    rc = wt__target_query_at(text, i, name, sizeof(name), value, sizeof(value));
    FUZZ_CHECK(rc == 0 || rc == WT_ERR_NOT_FOUND || rc == WT_ERR_INVALID);
    guard_set();
    int little = wt__target_query_at(text, i, name, sizeof(name), dst, size);
    guard_check(size);
    FUZZ_CHECK(little == rc || (rc == 0 && little == WT_ERR_TOO_LARGE));
    if (rc == 0 && !found && strcmp(name, "a") == 0 && wt__target_query_value(text, "a", large, sizeof(large)) == 0) {
      FUZZ_CHECK(little != 0 || strcmp(value, dst) == 0);
    }
    found = found || rc != 0 || strcmp(name, "a") == 0;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t input_len) {
  char text[TEXT_MAX];
  if (input_len == 0 || input_len > sizeof(text)) return 0;
  size_t size = data[0], len = input_len - 1;
  memcpy(text, data + 1, len);
  text[len] = '\0';

  int plenty = wt__target_decode(text, len, large, sizeof(large));
  if (!memchr(text, '%', len) && !memchr(text, '\0', len)) FUZZ_CHECK(plenty == (int)len && !strcmp(large, text));
  guard_set();
  check_room(wt__target_decode(text, len, dst, size), plenty, size);

  plenty = wt__target_file_path(text, large, sizeof(large));
  if (plenty >= 0) check_segments(large);
  guard_set();
  check_room(wt__target_file_path(text, dst, size), plenty, size);

  check_query(text, size);
  check_query_walk(text, size);
  return 0;
}
