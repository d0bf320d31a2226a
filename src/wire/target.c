/* SPDX-License-Identifier: MIT */

/*
 * What a request target says once its percent-encoding is undone (RFC 3986, section 2.1).
 *
 * The danger is in the order: a path is cut at its slashes as sent, and only then decoded, piece by
 * piece. "/a%2fb" is therefore not the file b in a folder a, and "%2e%2e" is as much a way out of the
 * folder as "..". A path with anything doubtful in it is refused, not repaired: after a repair, two
 * pieces of software may disagree on which file was meant.
 *
 * The result of `wt__target_file_path` is one half of staying inside a folder. The other half, symbolic
 * links, needs the file system and belongs to who opens the file.
 *
 * In a query '+' stands for a space, as forms write it; in a path it stands for itself.
 */

#include "wire/target.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include <webtransport/error.h>

static int target_hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* Takes one byte, decoded, from `*at`, which is before `end`; -1 if the encoding is broken or it is a NUL. */
static int target_take(const char **at, const char *end) {
  char c = *(*at)++;
  if (c == '%') {
    if (end - *at < 2) return -1;
    int high = target_hex((*at)[0]), low = target_hex((*at)[1]);
    if (high < 0 || low < 0) return -1;
    *at += 2;
    c = (char)(unsigned char)(high * 16 + low);
  }
  return c == '\0' ? -1 : (unsigned char)c;
}

int wt__target_decode(const char *s, size_t len, char *dst, size_t size) {
  const char *at = s, *end = s + len;
  size_t n = 0;
  if (size == 0) return -1;
  while (at < end) {
    int c = target_take(&at, end);
    if (c < 0 || n + 1 >= size || n == INT_MAX) {
      dst[0] = '\0';
      return -1;
    }
    dst[n++] = (char)c;
  }
  dst[n] = '\0';
  return (int)n;
}

/* The next decoded character of a query. */
static int target_take_form(const char **at, const char *end) {
  if (**at != '+') return target_take(at, end);
  (*at)++;
  return ' ';
}

/* Whether the encoded text from `at` to `end` is `name`. */
static bool target_is_name(const char *at, const char *end, const char *name) {
  while (at < end) {
    int c = target_take_form(&at, end);
    if (c < 0 || c != (unsigned char)*name++) return false;
  }
  return *name == '\0';
}

static int target_copy_value(const char *at, const char *end, char *dst, size_t size) {
  size_t n = 0;
  bool fits = size > 0;
  while (at < end) {
    int c = target_take_form(&at, end);
    if (c < 0) return WT_ERR_INVALID;
    if (n + 1 >= size) fits = false;
    if (fits) dst[n++] = (char)c;
  }
  if (!fits) return WT_ERR_TOO_LARGE;
  dst[n] = '\0';
  return 0;
}

int wt__target_query_value(const char *query, const char *name, char *dst, size_t size) {
  if (size) dst[0] = '\0';
  while (query && *query) {
    size_t len = strcspn(query, "&");
    const char *end = query + len;
    const char *equals = memchr(query, '=', len);
    if (target_is_name(query, equals ? equals : end, name)) {
      int error = target_copy_value(equals ? equals + 1 : end, end, dst, size);
      if (error && size) dst[0] = '\0';
      return error;
    }
    query = *end ? end + 1 : NULL;
  }
  return WT_ERR_NOT_FOUND;
}

int wt__target_query_at(const char *query, size_t index, char *name, size_t name_size, char *value, size_t value_size) {
  if (name_size) name[0] = '\0';
  if (value_size) value[0] = '\0';
  while (*query) {
    size_t len = strcspn(query, "&");
    const char *end = query + len;
    const char *equals = memchr(query, '=', len);
    if (len > 0 && index-- == 0) {
      int error = target_copy_value(query, equals ? equals : end, name, name_size);
      if (!error) error = target_copy_value(equals ? equals + 1 : end, end, value, value_size);
      if (error && name_size) name[0] = '\0';
      if (error && value_size) value[0] = '\0';
      return error;
    }
    query = *end ? end + 1 : end;
  }
  return WT_ERR_NOT_FOUND;
}

/* Adds one segment, decoded, to `dst` at `*len`; false if it is no plain file or folder name. */
static bool target_add_segment(const char *at, const char *end, char *dst, size_t size, size_t *len) {
  size_t first = *len;
  while (at < end) {
    int c = target_take(&at, end);
    if (c < 0 || c == '/' || c == '\\' || *len + 1 >= size) return false;
    dst[(*len)++] = (char)c;
  }
  size_t n = *len - first;
  return n > 0 && !(dst[first] == '.' && (n == 1 || (n == 2 && dst[first + 1] == '.')));
}

static int target_file_path(const char *path, char *dst, size_t size) {
  static const char index_name[] = "index.html";
  size_t len = 0;
  while (*path == '/') path++;
  while (*path) {
    const char *end = path + strcspn(path, "/");
    if (!target_add_segment(path, end, dst, size, &len)) return -1;
    if (!*end) break;
    if (len + 1 >= size) return -1;
    dst[len++] = '/';
    path = end + 1;
  }
  if (len == 0 || dst[len - 1] == '/') {
    if (size - len < sizeof(index_name)) return -1;
    memcpy(dst + len, index_name, sizeof(index_name));
    return (int)(len + sizeof(index_name) - 1);
  }
  dst[len] = '\0';
  return (int)len;
}

int wt__target_file_path(const char *path, char *dst, size_t size) {
  if (size == 0 || size > INT_MAX) return -1;
  int error = target_file_path(path, dst, size);
  if (error < 0) dst[0] = '\0';
  return error;
}
