/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_TARGET_H
#define WT_WIRE_TARGET_H

/* Request targets: percent-decoding, query values, and a URL path made a safe relative file path. */

#include <stddef.h>

/* Decodes %XX. Returns the length, or -1: broken encoding, a NUL, or `size` too small. NUL-terminated. */
int wt__target_decode(const char *s, size_t len, char *dst, size_t size);

/* As `wt_request_get_query_value`: 0, or WT_ERR_NOT_FOUND, WT_ERR_TOO_LARGE, WT_ERR_INVALID. '+' is a space. */
int wt__target_query_value(const char *query, const char *name, char *dst, size_t size);

/* As `wt_request_get_query_at`. */
int wt__target_query_at(const char *query, size_t index, char *name, size_t name_size, char *value, size_t value_size);

/*
 * Turns an encoded path ("/a/%2e%2e/b") into a relative one for `openat`: decoded, without leading
 * slashes, "index.html" added where it ends in a slash. -1 if it holds "..", a NUL, a backslash, an
 * encoded slash, an empty or "." segment inside, or does not fit.
 */
int wt__target_file_path(const char *path, char *dst, size_t size);

#endif
