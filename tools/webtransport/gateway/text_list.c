/* SPDX-License-Identifier: MIT */
/* Lists of texts in a route's settings. */
#include "gateway/text_list.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/values.h"

bool text_list_add(struct text_list *list, const char *text, char *message, size_t size) {
  if (list->inherited) list->count = 0;
  list->inherited = false;
  if (!*text) return value_refuse(message, size, "the text is empty");
  if (strlen(text) >= TEXT_SIZE) return value_refuse(message, size, "the text has more than %d bytes", TEXT_SIZE - 1);
  if (list->count == TEXT_LIST_MAX) return value_refuse(message, size, "more than %d of them", TEXT_LIST_MAX);
  snprintf(list->texts[list->count++], TEXT_SIZE, "%s", text);
  return true;
}

bool text_list_has(const struct text_list *list, const char *text) {
  for (size_t i = 0; i < list->count; i++)
    if (!strcasecmp(list->texts[i], text)) return true;
  return false;
}
