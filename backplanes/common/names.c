/* SPDX-License-Identifier: MIT */

/*
 * Finds records by name: see names.h.
 */

#include "names.h"

#include <search.h>
#include <string.h>

static int names_compare(const void *a, const void *b) {
  const struct wt__name *left = a, *right = b;
  if (left->len != right->len) return left->len < right->len ? -1 : 1;
  return left->len == 0 ? 0 : memcmp(left->bytes, right->bytes, left->len);
}

void *wt__names_find(const struct wt__names *names, const char *bytes, size_t len) {
  struct wt__name wanted = {.bytes = bytes, .len = len};
  void *const *found = tfind(&wanted, &names->root, names_compare);
  return found ? *found : NULL;
}

bool wt__names_add(struct wt__names *names, struct wt__name *record) {
  return tsearch(record, &names->root, names_compare) != NULL;
}

void wt__names_remove(struct wt__names *names, struct wt__name *record) {
  tdelete(record, &names->root, names_compare);
}
