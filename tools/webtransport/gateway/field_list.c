/* SPDX-License-Identifier: MIT */
/* Copies of header fields, with a bound on how many and how large. Name and value of a field are one allocation. */
#include "gateway/field_list.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/values.h"

bool field_list_add(struct field_list *list, const char *name, size_t name_len, const char *value, size_t value_len) {
  if (list->count == FIELD_LIST_COUNT || name_len + value_len > FIELD_LIST_BYTES - list->bytes) return false;
  struct wt_header *headers = realloc(list->headers, (list->count + 1) * sizeof *headers);
  if (!headers) return false;
  list->headers = headers;
  char *text = malloc(name_len + value_len + 2);
  if (!text) return false;
  for (size_t i = 0; i < name_len; i++) text[i] = (char)tolower((unsigned char)name[i]);
  text[name_len] = 0;
  memcpy(text + name_len + 1, value, value_len);
  text[name_len + 1 + value_len] = 0;
  headers[list->count++] = (struct wt_header){text, text + name_len + 1};
  list->bytes += name_len + value_len;
  return true;
}

static bool value_is_sendable(const char *value, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (((unsigned char)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f) return false;
  return true;
}

bool field_list_add_line(struct field_list *list, const char *line, size_t len) {
  const char *colon = memchr(line, ':', len);
  while (len && strchr("\r\n \t", line[len - 1])) len--;
  if (!colon || !value_is_token(line, (size_t)(colon - line))) return false;
  size_t name_len = (size_t)(colon - line), at = name_len + 1;
  while (at < len && (line[at] == ' ' || line[at] == '\t')) at++;
  if (at > len) at = len;
  if (!value_is_sendable(line + at, len - at)) return false;
  return field_list_add(list, line, name_len, line + at, len - at);
}

const char *field_list_find(const struct field_list *list, const char *name) {
  for (size_t i = 0; i < list->count; i++)
    if (!strcmp(list->headers[i].name, name)) return list->headers[i].value;
  return NULL;
}

void field_list_move(struct field_list *to, struct field_list *from) {
  *to = *from;
  *from = (struct field_list){0};
}

void field_list_free(struct field_list *list) {
  for (size_t i = 0; i < list->count; i++) free((char *)(uintptr_t)list->headers[i].name);
  free(list->headers);
  *list = (struct field_list){0};
}
