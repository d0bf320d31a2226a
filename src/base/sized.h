/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_SIZED_H
#define WT_BASE_SIZED_H

/*
 * Public structs that grow. The first member of each is its size, as the program that uses the library was compiled
 * with. One rule holds for all:
 *
 *   smaller than in 0.2.0, the first version whose programs are served   WT_ERR_INVALID
 *   0, in a table of callbacks                                           as in 0.2.0: a constant table needs no size
 *   smaller than here                                                    the program is older: what it lacks has its
 *                                                                        default, and is not written
 *   larger than here                                                     the program is newer: what is not known here
 *                                                                        has to be zero, else WT_ERR_UNSUPPORTED
 */

#include <stddef.h>

/* Fills `dst`, whose program gives `dst_size`, with `all`, the defaults; what is not known here becomes zero. */
void wt__sized_init(void *dst, size_t dst_size, const void *all, size_t all_size);

/* Copies what a program gives to `*dst`, which has the defaults. `least`: the size in 0.2.0. 0, WT_ERR_INVALID (also
 * without `src`) or WT_ERR_UNSUPPORTED; `*dst` is then as it was. */
int wt__sized_read(void *dst, size_t dst_size, const void *src, size_t least);

/* The same for a table of callbacks; NULL is an empty one. */
int wt__sized_read_table(void *dst, size_t dst_size, const void *src, size_t least);

/* Gives a program `all` in its `dst`. 0 or WT_ERR_INVALID (also without `dst`). */
int wt__sized_give(void *dst, const void *all, size_t all_size, size_t least);

/* Whether `wt__sized_give` would: asked before the work. */
int wt__sized_check(const void *dst, size_t least);

#endif
