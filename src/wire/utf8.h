/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_UTF8_H
#define WT_WIRE_UTF8_H

/* UTF-8 (RFC 3629): what a close reason has to be. */

#include <stdbool.h>
#include <stddef.h>

/* Whether `len` bytes are well-formed: no overlong form, no surrogate, nothing past U+10FFFF. */
bool wt__utf8_valid(const char *s, size_t len);

/* The length of the longest prefix of at most `max` bytes that ends on a character boundary. */
size_t wt__utf8_cut(const char *s, size_t len, size_t max);

/*
 * Makes a string for people of `len` bytes that a stranger wrote: cut on a character boundary to fit into `size` bytes,
 * with its NUL; control characters, which a terminal would obey, and bytes that are not UTF-8 become '?'. Returns its
 * length. `size` is at least 1.
 */
size_t wt__utf8_show(char *dst, size_t size, const char *s, size_t len);

#endif
