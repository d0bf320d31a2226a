/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_PATH_PLAIN_H
#define WEBTRANSPORT_TOOL_GATEWAY_PATH_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes the plain form of a request's path into `out`: what does not need to be percent-encoded is not, several slashes
 * are one, and an encoded slash or a backslash is a slash. Routes, and paths of tokens, are compared with this form, so
 * nobody gets around a route by another spelling of its path. False: the path has "." or ".." between slashes, a broken
 * encoding or an encoded NUL, or is too long; some back end would take it for another one.
 */
bool path_plain(const char *path, char *out, size_t size);

#endif
