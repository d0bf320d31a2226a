/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_MEM_H
#define WT_BASE_MEM_H

/*
 * Memory. Every allocation of the library goes through here, so that a test can fail each in turn
 * (`wt__mem_fail_after`) and count what is still held.
 */

#include <stddef.h>
#include <stdint.h>

void *wt__malloc(size_t size);
void *wt__calloc(size_t count, size_t size);
void *wt__realloc(void *ptr, size_t size);
void wt__free(void *ptr);

/* Copies `len` bytes and adds a NUL. NULL when out of memory. */
char *wt__strndup(const char *s, size_t len);
char *wt__strdup(const char *s);

/* Overwrites `len` bytes in a way that the compiler does not remove. */
void wt__wipe(void *ptr, size_t len);

/* Tests: the allocation after `count` further ones fails, once; SIZE_MAX: none does. This thread. */
void wt__mem_fail_after(size_t count);
/* Tests: allocations not yet freed, over all threads. */
int64_t wt__mem_live(void);

#endif
