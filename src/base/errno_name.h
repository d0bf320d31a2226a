/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_ERRNO_NAME_H
#define WT_BASE_ERRNO_NAME_H

/* "ENOSPC" for an `errno`. NULL: the C library does not know it, or cannot tell names. Static string. */
const char *wt__errno_name(int os_error);

#endif
