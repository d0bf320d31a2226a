/* SPDX-License-Identifier: MIT */

/*
 * The one door to the C library's allocator.
 *
 * Two questions are asked of every part of the library: what does it do when memory runs out, and does
 * it give back all it took? To answer them a test must be able to refuse one chosen allocation and to
 * count the rest. So this file counts what is held (one relaxed atomic, over all threads, since a block
 * may be freed on another thread than the one that asked for it) and carries a countdown of the calling
 * thread's own, so that a test does not disturb loops that run beside it.
 *
 * It is no allocator: no pools (base/pool.h), no sizes, no arenas. It keeps nothing in front of a block, so that
 * sanitizers and valgrind see each block as it is.
 *
 * How much a block takes is asked of the C library, which knows, for those who count bytes and not blocks
 * (base/gauge.h).
 *
 * A size of zero is asked for as one byte: NULL always means that memory has run out.
 */

#include "base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int64_t mem_live;

/* Allocations of this thread that still succeed before one fails; SIZE_MAX: none fails. */
static _Thread_local size_t mem_countdown = SIZE_MAX;

bool wt__mem_refuses(void) {
  if (mem_countdown == SIZE_MAX) return false;
  if (mem_countdown == 0) {
    mem_countdown = SIZE_MAX;
    return true;
  }
  mem_countdown--;
  return false;
}

static void *mem_counted(void *ptr) {
  if (ptr) atomic_fetch_add_explicit(&mem_live, 1, memory_order_relaxed);
  return ptr;
}

void *wt__malloc(size_t size) {
  if (wt__mem_refuses()) return NULL;
  return mem_counted(malloc(size ? size : 1));
}

void *wt__calloc(size_t count, size_t size) {
  if (wt__mem_refuses()) return NULL;
  if (count == 0 || size == 0) count = size = 1;
  if (count > SIZE_MAX / size) return NULL; /* the C library says so too, but sanitizers stop the program there */
  return mem_counted(calloc(count, size));
}

void *wt__malloc_aligned(size_t alignment, size_t size) {
  if (wt__mem_refuses()) return NULL;
  return mem_counted(aligned_alloc(alignment, size));
}

void *wt__realloc(void *ptr, size_t size) {
  if (wt__mem_refuses()) return NULL;
  if (!ptr) return mem_counted(malloc(size ? size : 1));
  return realloc(ptr, size ? size : 1); /* one block before, one after */
}

void wt__free(void *ptr) {
  if (!ptr) return;
  atomic_fetch_sub_explicit(&mem_live, 1, memory_order_relaxed);
  free(ptr);
}

size_t wt__mem_size(void *ptr) { return malloc_usable_size(ptr); }

char *wt__strndup(const char *s, size_t len) {
  if (len == SIZE_MAX) return NULL;
  char *copy = wt__malloc(len + 1);
  if (!copy) return NULL;
  if (len) memcpy(copy, s, len);
  copy[len] = '\0';
  return copy;
}

char *wt__strdup(const char *s) { return wt__strndup(s, strlen(s)); }

void wt__wipe(void *ptr, size_t len) {
  if (ptr && len) explicit_bzero(ptr, len);
}

void wt__mem_fail_after(size_t count) { mem_countdown = count; }

int64_t wt__mem_live(void) { return atomic_load_explicit(&mem_live, memory_order_relaxed); }
