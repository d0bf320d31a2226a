/* SPDX-License-Identifier: MIT */

/*
 * A dial's options in one block: the struct, its two arrays, and all strings behind them.
 *
 *     | options | headers[] | protocols[] | "origin\0authority\0name\0value\0..." |
 *
 * The application's strings need to live only as long as its call, while the request is written when there is a
 * connection. One block is one allocation that can fail and one thing to free. What is in it is not checked here;
 * a header field without name or value becomes an empty one, which h3 refuses.
 */

#include "net/dial_copy.h"

#include <string.h>

#include "base/mem.h"

static size_t text_size(const char *text) { return text ? strlen(text) + 1 : 1; }

static const char *text_add(char **at, const char *text) {
  char *place = *at;
  size_t size = text_size(text);
  memcpy(place, text ? text : "", size);
  *at += size;
  return place;
}

static size_t copy_size(const struct wt_dial_options *options) {
  size_t size = sizeof(struct wt__dial_copy) + text_size(options->origin) + text_size(options->authority);
  size += options->header_count * sizeof(struct wt_header) + options->protocol_count * sizeof(char *);
  for (size_t i = 0; i < options->header_count; i++) {
    size += text_size(options->headers[i].name) + text_size(options->headers[i].value);
  }
  for (size_t i = 0; i < options->protocol_count; i++) size += text_size(options->protocols[i]);
  return size;
}

struct wt__dial_copy *wt__dial_copy_new(const struct wt_dial_options *options) {
  struct wt__dial_copy *copy = wt__malloc(copy_size(options));
  if (!copy) return NULL;
  struct wt_header *headers = (struct wt_header *)(void *)(copy + 1);
  const char **protocols = (const char **)(void *)(headers + options->header_count);
  char *at = (char *)(protocols + options->protocol_count);
  copy->options = (struct wt__h3_dial_options){
      .headers = headers,
      .header_count = options->header_count,
      .protocols = protocols,
      .protocol_count = options->protocol_count,
      .require_protocol = options->require_protocol,
      .callbacks = *options->session_callbacks,
      .user_data = options->session_user_data,
      .optimistic = options->optimistic,
  };
  if (options->origin) copy->options.origin = text_add(&at, options->origin);
  if (options->authority) copy->options.authority = text_add(&at, options->authority);
  for (size_t i = 0; i < options->header_count; i++) {
    headers[i].name = text_add(&at, options->headers[i].name);
    headers[i].value = text_add(&at, options->headers[i].value);
  }
  for (size_t i = 0; i < options->protocol_count; i++) protocols[i] = text_add(&at, options->protocols[i]);
  return copy;
}

void wt__dial_copy_free(struct wt__dial_copy *copy) { wt__free(copy); }
