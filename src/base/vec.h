/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_VEC_H
#define WT_BASE_VEC_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that belong to someone else. */
struct wt__vec {
  const uint8_t *data;
  size_t len;
};

#endif
