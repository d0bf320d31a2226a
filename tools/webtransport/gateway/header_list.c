/* SPDX-License-Identifier: MIT */
/*
 * Header fields that the gateway hands on. They are copied, because a request may be gone before the back end answers,
 * and because other parts of the gateway replace some of them.
 */
#include "gateway/header_list.h"

#include <stdlib.h>
#include <string.h>

/* Name and value are one allocation, which `name` points to. */
bool header_list_add(struct header_list *fields, const char *name, const char *value) {
  size_t name_size = strlen(name) + 1, value_size = strlen(value) + 1;
  if (fields->count == HEADER_LIST_MAX) return false;
  char *copy = malloc(name_size + value_size);
  if (!copy) return false;
  memcpy(copy, name, name_size);
  memcpy(copy + name_size, value, value_size);
  fields->list[fields->count++] = (struct wt_header){copy, copy + name_size};
  return true;
}

static void field_free(struct wt_header *field) { free((void *)(size_t)field->name); }

void header_list_remove(struct header_list *fields, const char *name) {
  size_t kept = 0;
  for (size_t i = 0; i < fields->count; i++) {
    if (strcmp(fields->list[i].name, name))
      fields->list[kept++] = fields->list[i];
    else
      field_free(&fields->list[i]);
  }
  fields->count = kept;
}

bool header_list_set(struct header_list *fields, const char *name, const char *value) {
  header_list_remove(fields, name);
  return header_list_add(fields, name, value);
}

const char *header_list_get(const struct header_list *fields, const char *name) {
  for (size_t i = 0; i < fields->count; i++)
    if (!strcmp(fields->list[i].name, name)) return fields->list[i].value;
  return NULL;
}

void header_list_free(struct header_list *fields) {
  for (size_t i = 0; i < fields->count; i++) field_free(&fields->list[i]);
  fields->count = 0;
}
