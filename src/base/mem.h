/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_MEM_H
#define WT_BASE_MEM_H

/*
 * Memory. Every allocation of the library goes through here, so that a test can fail each in turn
 * (`wt__mem_fail_after`) and count what is still held.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *wt__malloc(size_t size);
void *wt__calloc(size_t count, size_t size);
void *wt__realloc(void *ptr, size_t size);
/* `size` bytes at a multiple of `alignment`, a power of two that divides `size`. */
void *wt__malloc_aligned(size_t alignment, size_t size);
void wt__free(void *ptr);

/* How many bytes the block of `ptr`, which is one of the above, takes: no fewer than were asked for. */
size_t wt__mem_size(void *ptr);

/* Copies `len` bytes and adds a NUL. NULL when out of memory. */
char *wt__strndup(const char *s, size_t len);
char *wt__strdup(const char *s);

/* Overwrites `len` bytes in a way that the compiler does not remove. */
void wt__wipe(void *ptr, size_t len);

/* Tests: the allocation after `count` further ones fails, once; SIZE_MAX: none does. This thread. */
void wt__mem_fail_after(size_t count);
/* Whether this allocation is the one that is to fail. For what hands out memory that it has already; the functions
 * above ask by themselves. */
bool wt__mem_refuses(void);
/* Tests: allocations not yet freed, over all threads. */
int64_t wt__mem_live(void);

#endif
