/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_TEXT_LIST_H
#define WEBTRANSPORT_TOOL_GATEWAY_TEXT_LIST_H

#include <stdbool.h>
#include <stddef.h>

enum {
  TEXT_LIST_MAX = 16,
  TEXT_SIZE = 256,
};

/* A short list of a configuration. It can be copied. */
struct text_list {
  size_t count;
  bool inherited; /* from the defaults: the first text of the route replaces them */
  char texts[TEXT_LIST_MAX][TEXT_SIZE];
};

/* Adds a text. False: there is no room, or it is empty; `message` says which. */
bool text_list_add(struct text_list *list, const char *text, char *message, size_t size);

/* Whether `text` is in the list, without regard to the case of letters. */
bool text_list_has(const struct text_list *list, const char *text);

#endif
