/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_SFV_H
#define WT_WIRE_SFV_H

/*
 * The part of Structured Fields (RFC 9651) that WebTransport needs: a List whose members are all
 * Strings (`wt-available-protocols`), and one String (`wt-protocol`). Parameters of every type are
 * parsed and ignored; any other member type makes the whole field malformed, as draft section 3.3 asks.
 */

#include <stdbool.h>
#include <stddef.h>

/* Walks a List of Strings. Set `at` and `end` to the field's value; `first` to true. */
struct wt__sfv_list {
  const char *at, *end;
  bool first;
};

/* 1 and the next member, unescaped, in `dst` (`size` bytes, NUL-terminated; `*len` without it); 0 at the
 * end; -1 if the field is malformed or a member does not fit. Call until 0 before trusting any. */
int wt__sfv_list_next(struct wt__sfv_list *list, char *dst, size_t size, size_t *len);

/* Whether the whole value is a well-formed List of Strings. */
bool wt__sfv_list_valid(const char *value, size_t len, size_t max_member);

/* Reads an Item that is a String. 0, or -1 if malformed or too long. */
int wt__sfv_string_read(const char *value, size_t len, char *dst, size_t size);

/* Writes a String item: quotes, escapes. Returns the length without the NUL; 0 if `s` has a character
 * that a String cannot hold (outside 0x20 to 0x7e) or `size` is too small. */
size_t wt__sfv_string_write(char *dst, size_t size, const char *s);

#endif
