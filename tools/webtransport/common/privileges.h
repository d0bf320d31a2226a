/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_PRIVILEGES_H
#define WEBTRANSPORT_TOOL_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

/* From now on no program that this process starts can gain rights. Threads that are there already are not meant: it has to
 * come first. False: errno. */
bool privileges_keep_down(void);

/*
 * Makes the process, all its threads, one of `user`, which is "NAME" or "NAME:GROUP", with the user's other groups, and
 * without any way back. Whoever is that user already needs no rights for it. False: `message` says why; the process must
 * not go on then.
 */
bool privileges_drop(const char *user, char *message, size_t size);

/* Gives an open file to `user`, as above, if it belongs to root and the process may do so. Else nothing happens. */
void privileges_give(int fd, const char *user);

#endif
