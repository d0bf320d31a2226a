/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_NAMES_H
#define WT_BACKPLANES_NAMES_H

/*
 * Records that are found by a name of any bytes. A record begins with a struct wt__name, whose bytes it keeps. It is a
 * balanced tree, not a hash table, so names that an attacker chooses make it no slower.
 */

#include <stdbool.h>
#include <stddef.h>

struct wt__name {
  const char *bytes;
  size_t len;
};

struct wt__names {
  void *root; /* of tsearch(3); NULL: empty */
};

/* The record with this name, or NULL. */
void *wt__names_find(const struct wt__names *names, const char *bytes, size_t len);

/* Adds a record whose name is not there yet. False: out of memory. */
bool wt__names_add(struct wt__names *names, struct wt__name *record);

void wt__names_remove(struct wt__names *names, struct wt__name *record);

#endif
