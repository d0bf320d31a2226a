/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_FIELD_LIST_H
#define WEBTRANSPORT_TOOL_GATEWAY_FIELD_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include <webtransport/session.h>

enum {
  FIELD_LIST_BYTES = 65536, /* names and values together */
  FIELD_LIST_COUNT = 256,
};

/* Header fields that are kept for a while. Begins as all zero. */
struct field_list {
  struct wt_header *headers; /* names in lower case */
  size_t count, bytes;
};

/* Adds a copy of a field. False: there is no room, or no memory. */
bool field_list_add(struct field_list *list, const char *name, size_t name_len, const char *value, size_t value_len);

/*
 * Adds a line of a header section in HTTP/1.1, "Name: value". False as above, or if the line has no name, or a character
 * in its value that no field may have.
 */
bool field_list_add_line(struct field_list *list, const char *line, size_t len);

/* The value of the first field of this name (lower case), or NULL. */
const char *field_list_find(const struct field_list *list, const char *name);

/* Moves all fields to `to`, which was empty. */
void field_list_move(struct field_list *to, struct field_list *from);

void field_list_free(struct field_list *list);

#endif
