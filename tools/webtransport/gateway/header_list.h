/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_HEADER_LIST_H
#define WEBTRANSPORT_TOOL_GATEWAY_HEADER_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include <webtransport/session.h>

enum {
  HEADER_LIST_MAX = 56, /* as many as a request of the library's client may have */
};

/* Header fields with memory of their own, in order. Begins as all zero. */
struct header_list {
  struct wt_header list[HEADER_LIST_MAX];
  size_t count;
};

/* Copies a field to the end. False: there is no room, or no memory. */
bool header_list_add(struct header_list *fields, const char *name, const char *value);

/* Likewise, in place of all fields of this name. */
bool header_list_set(struct header_list *fields, const char *name, const char *value);

/* Takes all fields of this name away. */
void header_list_remove(struct header_list *fields, const char *name);

/* Returns the value of the first field of this name, or NULL. */
const char *header_list_get(const struct header_list *fields, const char *name);

void header_list_free(struct header_list *fields);

#endif
