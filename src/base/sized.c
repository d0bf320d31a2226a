/* SPDX-License-Identifier: MIT */

/*
 * Copies structs between a program and a library of different versions: see sized.h for the rule.
 */

#include "base/sized.h"

#include <string.h>

#include <webtransport/error.h>

static size_t size_of(const void *sized) {
  size_t size;
  memcpy(&size, sized, sizeof(size));
  return size;
}

static void size_set(void *sized, size_t size) { memcpy(sized, &size, sizeof(size)); }

/* `all`, cut or followed by zeros. */
static void sized_write(void *dst, size_t dst_size, const void *all, size_t all_size) {
  size_t known = dst_size < all_size ? dst_size : all_size;
  memcpy(dst, all, known);
  memset((char *)dst + known, 0, dst_size - known);
  size_set(dst, dst_size);
}

void wt__sized_init(void *dst, size_t dst_size, const void *all, size_t all_size) {
  if (dst && dst_size >= sizeof(size_t)) sized_write(dst, dst_size, all, all_size);
}

static int sized_copy(void *dst, size_t dst_size, const void *src, size_t src_size, size_t least) {
  const unsigned char *bytes = src;
  if (src_size < least) return WT_ERR_INVALID;
  for (size_t at = dst_size; at < src_size; at++) {
    if (bytes[at]) return WT_ERR_UNSUPPORTED;
  }
  memcpy(dst, src, src_size < dst_size ? src_size : dst_size);
  size_set(dst, dst_size);
  return 0;
}

int wt__sized_read(void *dst, size_t dst_size, const void *src, size_t least) {
  return src ? sized_copy(dst, dst_size, src, size_of(src), least) : WT_ERR_INVALID;
}

int wt__sized_read_table(void *dst, size_t dst_size, const void *src, size_t least) {
  if (!src) {
    memset(dst, 0, dst_size);
    size_set(dst, dst_size);
    return 0;
  }
  size_t size = size_of(src);
  return sized_copy(dst, dst_size, src, size ? size : least, least);
}

int wt__sized_check(const void *dst, size_t least) { return dst && size_of(dst) >= least ? 0 : WT_ERR_INVALID; }

int wt__sized_give(void *dst, const void *all, size_t all_size, size_t least) {
  int error = wt__sized_check(dst, least);
  if (!error) sized_write(dst, size_of(dst), all, all_size);
  return error;
}
