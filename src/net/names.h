/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_NAMES_H
#define WT_NET_NAMES_H

/* Lists of names in a configuration. */

#include <stddef.h>

#include "net/bounds.h"
#include "quic/tls_choice.h"

/* A copy of `count` names; after an error, what was copied so far, to be freed as well. WT_ERR_NOMEM. */
int wt__names_copy(const char *const **copy, const char *const *names, size_t count);
void wt__names_free(const char *const *names, size_t count);

/* Cipher suites and groups: as many as may be, each known and named once. */
void wt__names_check_choice(const struct wt__tls_choice *choice, struct wt__check *check);

/* Gives the copy of a configuration names of its own, where it has the caller's. WT_ERR_NOMEM. */
int wt__names_copy_choice(const char *const **cipher_suites, size_t cipher_suite_count, const char *const **groups,
                          size_t group_count);

#endif
