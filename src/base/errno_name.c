/* SPDX-License-Identifier: MIT */
/*
 * The names of the system's errors. Sentences differ from system to system and from language to language; a program that reads
 * the log wants the constant. glibc has them since 2.32; elsewhere there are none, and the field is left out.
 */

#include "base/errno_name.h"

#include <stddef.h>
#include <string.h>

#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 32)
#define HAS_NAMES 1
#endif
#endif

const char *wt__errno_name(int os_error) {
#ifdef HAS_NAMES
  return os_error > 0 ? strerrorname_np(os_error) : NULL;
#else
  (void)os_error;
  return NULL;
#endif
}
