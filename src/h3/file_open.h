/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_FILE_OPEN_H
#define WT_H3_FILE_OPEN_H

/* Opens a file below a folder and nowhere else. */

#include <sys/stat.h>

/*
 * Opens `path`, relative and without "..", below `directory` for reading. Symbolic links are followed as
 * long as they stay below it. Returns the descriptor, with `*info` filled in, or -1: it is not there, not
 * below, or neither a regular file nor a directory.
 */
int wt__file_open_below(const char *directory, const char *path, struct stat *info);

/* The same without help of the kernel's; for kernels before 5.6, and for tests. */
int wt__file_open_below_compared(const char *directory, const char *path, struct stat *info);

#endif
