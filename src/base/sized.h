/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_SIZED_H
#define WT_BASE_SIZED_H

/*
 * Structs that grow. Each begins with its size, as the program that uses the library was compiled with: an older one
 * is shorter, and must not be written past.
 */

#include <stddef.h>
#include <string.h>

/* Writes to `dst`, of `dst_size` bytes, as much of `all` as it has room for, and how much that is into its first
 * member. Nothing if there is not even room for that. */
static inline void wt__sized_write(void *dst, size_t dst_size, const void *all, size_t all_size) {
  size_t size = dst_size < all_size ? dst_size : all_size;
  if (dst == NULL || size < sizeof(size)) return;
  memcpy(dst, all, size);
  memcpy(dst, &size, sizeof(size));
}

#endif
