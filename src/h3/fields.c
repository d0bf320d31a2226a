/* SPDX-License-Identifier: MIT */
/*
 * The header fields of a request, in one block of memory.
 *
 * A request has a dozen short fields that are read a few times and freed together. So they lie behind
 * each other, "name\0value\0name\0value\0", and a search walks them. The block grows while the field section
 * arrives, so pointers into it are taken only once it is complete.
 *
 * It is bounded by what RFC 9114, section 4.2.2 counts: names, values and 32 bytes for each field, the
 * figure that our SETTINGS announce. nghttp3 has checked the characters already: there is no NUL in them.
 */

#include <string.h>

#include "base/mem.h"
#include "h3/internal.h"

#define FIELD_OVERHEAD 32

void wt__fields_init(struct wt__fields *fields, size_t max) {
  memset(fields, 0, sizeof(*fields));
  fields->max = max;
}

void wt__fields_free(struct wt__fields *fields) {
  wt__gauge_remove(fields->gauge, fields->cap);
  wt__free(fields->text);
  fields->text = NULL;
  fields->len = fields->cap = fields->count = 0;
}

static int fields_reserve(struct wt__fields *fields, size_t need) {
  size_t cap = fields->cap ? fields->cap : 512;
  char *text;
  if (fields->cap - fields->len >= need) return 0;
  while (cap - fields->len < need) cap *= 2;
  text = wt__realloc(fields->text, cap);
  if (text == NULL) return WT_ERR_NOMEM;
  wt__gauge_add(fields->gauge, cap - fields->cap);
  fields->text = text;
  fields->cap = cap;
  return 0;
}

static void fields_put(struct wt__fields *fields, const uint8_t *s, size_t len) {
  if (len > 0) memcpy(fields->text + fields->len, s, len);
  fields->len += len;
  fields->text[fields->len++] = '\0';
}

int wt__fields_add(struct wt__fields *fields, const uint8_t *name, size_t name_len, const uint8_t *value,
                   size_t value_len) {
  size_t left = fields->max - fields->cost;
  int rv;
  if (left < FIELD_OVERHEAD || name_len > left - FIELD_OVERHEAD || value_len > left - FIELD_OVERHEAD - name_len) {
    return WT_ERR_TOO_LARGE;
  }
  rv = fields_reserve(fields, name_len + value_len + 2);
  if (rv != 0) return rv;
  fields->cost += name_len + value_len + FIELD_OVERHEAD;
  fields_put(fields, name, name_len);
  fields_put(fields, value, value_len);
  fields->count++;
  return 0;
}

char *wt__fields_find(const struct wt__fields *fields, const char *name, const char *after) {
  char *at = fields->text, *end = fields->text + fields->len;
  if (at == NULL) return NULL;
  while (at < end) {
    char *value = at + strlen(at) + 1;
    if (after == NULL && strcmp(at, name) == 0) return value;
    if (after == value) after = NULL;
    at = value + strlen(value) + 1;
  }
  return NULL;
}

int wt__fields_at(const struct wt__fields *fields, size_t index, struct wt_header *header) {
  for (const char *at = fields->text; at && at < fields->text + fields->len;) {
    const char *value = at + strlen(at) + 1;
    if (at[0] != ':' && index-- == 0) {
      *header = (struct wt_header){at, value};
      return 0;
    }
    at = value + strlen(value) + 1;
  }
  return WT_ERR_NOT_FOUND;
}

nghttp3_nv wt__fields_nv(const char *name, const char *value) {
  return (nghttp3_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
                      NGHTTP3_NV_FLAG_NONE};
}

size_t wt__fields_to_nv(const struct wt__fields *fields, nghttp3_nv *nv, size_t max) {
  size_t count = 0;
  for (const char *at = fields->text; at && at < fields->text + fields->len && count < max;) {
    const char *value = at + strlen(at) + 1;
    nv[count++] = wt__fields_nv(at, value);
    at = value + strlen(value) + 1;
  }
  return count;
}
