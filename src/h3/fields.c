/* SPDX-License-Identifier: MIT */
/*
 * The fields of a message, in two blocks of memory: their text, and the place of each field in it.
 *
 *   text   :method\0GET\0:path\0/\0user-agent\0curl/8\0
 *   items  {at 0, 7, 3}  {12, 5, 1}  {20, 10, 6}
 *
 * A request has a dozen short fields that are read a few times and freed together. A search walks the items. Their number
 * and lengths are those that were added, so no text can mislead the walk. The NUL behind each name and value is for the
 * application, which gets plain strings; `wt__fields_add` refuses a text with a NUL inside. The text may move while the
 * field section arrives, so take pointers into it only when the section is complete.
 *
 * Once all fields are there, those that came more than once are joined into further items: a reader that took only the first
 * would miss a part.
 *
 * RFC 9114, section 4.2.2 says how to count the fields against the bound: names, values and 32 bytes for each field.
 */

#include "h3/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/field.h"

#define FIELD_OVERHEAD 32
#define TEXT_FIRST 512 /* bytes; a request of a browser fits into twice that */
#define ITEMS_FIRST 16
#define TEXT_MAX UINT32_MAX /* places and lengths have 32 bits */
#define SPARE_MAX 1024      /* bytes of the text that are worth giving back */

void wt__fields_init(struct wt__fields *fields, size_t max) {
  memset(fields, 0, sizeof(*fields));
  fields->max = max;
}

void wt__fields_free(struct wt__fields *fields) {
  wt__gauge_remove(fields->gauge, fields->cap + fields->items_cap * sizeof(*fields->items));
  wt__free(fields->text);
  wt__free(fields->items);
  fields->text = NULL;
  fields->items = NULL;
  fields->len = fields->cap = fields->count = fields->items_cap = fields->joined = 0;
}

static int text_reserve(struct wt__fields *fields, size_t need) {
  size_t cap = fields->cap ? fields->cap : TEXT_FIRST;
  char *text;
  if (fields->cap - fields->len >= need) return 0;
  if (need > TEXT_MAX - fields->len) return WT_ERR_TOO_LARGE;
  while (cap - fields->len < need) cap *= 2;
  text = wt__realloc(fields->text, cap);
  if (!text) return WT_ERR_NOMEM;
  wt__gauge_add(fields->gauge, cap - fields->cap);
  fields->text = text;
  fields->cap = cap;
  return 0;
}

static int items_reserve(struct wt__fields *fields) {
  size_t cap = fields->items_cap ? 2 * fields->items_cap : ITEMS_FIRST;
  struct wt__field *items;
  if (fields->count + fields->joined < fields->items_cap) return 0;
  items = wt__realloc(fields->items, cap * sizeof(*items));
  if (!items) return WT_ERR_NOMEM;
  wt__gauge_add(fields->gauge, (cap - fields->items_cap) * sizeof(*items));
  fields->items = items;
  fields->items_cap = cap;
  return 0;
}

static void text_put(struct wt__fields *fields, const uint8_t *s, size_t len) {
  if (len > 0) memcpy(fields->text + fields->len, s, len);
  fields->len += len;
  fields->text[fields->len++] = '\0';
}

int wt__fields_add(struct wt__fields *fields, const uint8_t *name, size_t name_len, const uint8_t *value,
                   size_t value_len) {
  size_t left = fields->max - fields->cost;
  if (left < FIELD_OVERHEAD || name_len > left - FIELD_OVERHEAD || value_len > left - FIELD_OVERHEAD - name_len) {
    return WT_ERR_TOO_LARGE;
  }
  if (!wt__field_name_valid(name, name_len) || !wt__field_value_valid(value, value_len)) return WT_ERR_INVALID;
  int error = text_reserve(fields, name_len + value_len + 2);
  if (!error) error = items_reserve(fields);
  if (error) return error;
  fields->cost += name_len + value_len + FIELD_OVERHEAD;
  fields->items[fields->count++] = (struct wt__field){(uint32_t)fields->len, (uint32_t)name_len, (uint32_t)value_len};
  text_put(fields, name, name_len);
  text_put(fields, value, value_len);
  return 0;
}

int wt__fields_add_text(struct wt__fields *fields, const char *name, const char *value) {
  return wt__fields_add(fields, (const uint8_t *)name, strlen(name), (const uint8_t *)value, strlen(value));
}

static char *field_name(const struct wt__fields *fields, size_t i) { return fields->text + fields->items[i].at; }

static char *field_value(const struct wt__fields *fields, size_t i) {
  return field_name(fields, i) + fields->items[i].name_len + 1;
}

char *wt__fields_find(const struct wt__fields *fields, const char *name, const char *after) {
  size_t len = strlen(name);
  for (size_t i = 0; i < fields->count; i++) {
    if (!after && fields->items[i].name_len == len && memcmp(field_name(fields, i), name, len) == 0) {
      return field_value(fields, i);
    }
    if (after == field_value(fields, i)) after = NULL;
  }
  return NULL;
}

/* --- Fields that came more than once --- */

/* A position among the items, and the name there, for sorting. */
struct place {
  const char *name;
  size_t name_len, index;
};

static int place_compare(const void *a, const void *b) {
  const struct place *x = a, *y = b;
  if (x->name_len != y->name_len) return x->name_len < y->name_len ? -1 : 1;
  int order = memcmp(x->name, y->name, x->name_len);
  if (order != 0) return order;
  return x->index < y->index ? -1 : x->index > y->index;
}

static bool place_same_name(const struct place *a, const struct place *b) {
  return a->name_len == b->name_len && memcmp(a->name, b->name, a->name_len) == 0;
}

/* Crumbs of a cookie are put together with "; " (RFC 9114, section 4.2.1), elements of a list with ", " (RFC 9110,
 * section 5.3). A `set-cookie` is no list, though it may come more than once. */
static const char *separator_of(const char *name) {
  if (strcmp(name, "set-cookie") == 0) return NULL;
  return strcmp(name, "cookie") == 0 ? "; " : ", ";
}

static int places_join(struct wt__fields *fields, const struct place *places, size_t count) {
  const char *separator = separator_of(places[0].name);
  size_t name_len = places[0].name_len, at = fields->len, len = 0;
  if (!separator) return 0;
  for (size_t i = 0; i < count; i++) len += fields->items[places[i].index].value_len + 2;
  int error = text_reserve(fields, name_len + len + 2);
  if (!error) error = items_reserve(fields);
  if (error) return error;
  text_put(fields, (const uint8_t *)field_name(fields, places[0].index), name_len);
  for (size_t i = 0; i < count; i++) {
    const struct wt__field *field = &fields->items[places[i].index];
    if (i > 0) memcpy(fields->text + fields->len, separator, 2);
    if (i > 0) fields->len += 2;
    memcpy(fields->text + fields->len, field_value(fields, places[i].index), field->value_len);
    fields->len += field->value_len;
  }
  fields->text[fields->len++] = '\0';
  fields->items[fields->count + fields->joined++] =
      (struct wt__field){(uint32_t)at, (uint32_t)name_len, (uint32_t)(len - 2)};
  return 0;
}

/* The names point into the text, which may move: they are looked up anew after each that was joined. */
static void places_renew(const struct wt__fields *fields, struct place *places) {
  for (size_t i = 0; i < fields->count; i++) places[i].name = field_name(fields, places[i].index);
}

static int places_join_all(struct wt__fields *fields, struct place *places) {
  size_t count = fields->count;
  int error = 0;
  for (size_t i = 0, end; i < count && !error; i = end) {
    end = i + 1;
    while (end < count && place_same_name(&places[i], &places[end])) end++;
    if (end - i == 1) continue;
    error = places_join(fields, places + i, end - i);
    places_renew(fields, places);
  }
  return error;
}

/* No more fields come. The old block serves as well, should there be no new one. `least`: what is worth giving back. */
static void text_fit(struct wt__fields *fields, size_t least) {
  size_t spare = fields->cap - fields->len;
  char *text = spare >= least && fields->len > 0 ? wt__realloc(fields->text, fields->len) : NULL;
  if (!text) return;
  wt__gauge_remove(fields->gauge, spare);
  fields->text = text;
  fields->cap = fields->len;
}

int wt__fields_join(struct wt__fields *fields) {
  struct place on_stack[ITEMS_FIRST], *places = on_stack;
  if (fields->count > ITEMS_FIRST && !(places = wt__calloc(fields->count, sizeof(*places)))) return WT_ERR_NOMEM;
  for (size_t i = 0; i < fields->count; i++) {
    places[i] = (struct place){field_name(fields, i), fields->items[i].name_len, i};
  }
  qsort(places, fields->count, sizeof(*places), place_compare);
  int error = places_join_all(fields, places);
  if (places != on_stack) wt__free(places);
  text_fit(fields, SPARE_MAX + 1);
  return error;
}

void wt__fields_move(struct wt__fields *to, struct wt__fields *from) {
  size_t max = from->max;
  *to = *from;
  wt__fields_init(from, max);
  from->gauge = to->gauge;
  text_fit(to, 1);
}

int wt__fields_copy(struct wt__fields *to, const struct wt__fields *from) {
  size_t count = from->count + from->joined;
  if (count == 0) return 0;
  to->text = wt__malloc(from->len);
  to->items = wt__malloc(count * sizeof(*to->items));
  if (!to->text || !to->items) {
    wt__free(to->text);
    wt__free(to->items);
    to->text = NULL;
    to->items = NULL;
    return WT_ERR_NOMEM;
  }
  memcpy(to->text, from->text, from->len);
  memcpy(to->items, from->items, count * sizeof(*to->items));
  to->len = to->cap = from->len;
  to->items_cap = count;
  to->count = from->count;
  to->joined = from->joined;
  to->cost = from->cost;
  wt__gauge_add(to->gauge, to->cap + count * sizeof(*to->items));
  return 0;
}

const char *wt__fields_value(const struct wt__fields *fields, const char *name) {
  size_t len = strlen(name);
  for (size_t i = fields->count; i < fields->count + fields->joined; i++) {
    if (fields->items[i].name_len == len && memcmp(field_name(fields, i), name, len) == 0)
      return field_value(fields, i);
  }
  return wt__fields_find(fields, name, NULL);
}

const char *wt__fields_header_value(const struct wt__fields *fields, const char *name) {
  return name && name[0] != ':' ? wt__fields_value(fields, name) : NULL;
}

int wt__fields_at(const struct wt__fields *fields, size_t index, bool all, struct wt_header *header) {
  size_t i = all ? index : 0; /* without a walk: who asks for all asks for each */
  if (all) index = 0;
  for (; i < fields->count; i++) {
    if ((all || field_name(fields, i)[0] != ':') && index-- == 0) {
      *header = (struct wt_header){field_name(fields, i), field_value(fields, i)};
      return 0;
    }
  }
  return WT_ERR_NOT_FOUND;
}

nghttp3_nv wt__fields_nv(const char *name, const char *value) {
  return (nghttp3_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
                      NGHTTP3_NV_FLAG_NONE};
}

uint64_t wt__fields_nv_cost(const nghttp3_nv *nv, size_t count) {
  uint64_t cost = 0;
  for (size_t i = 0; i < count; i++) cost += nv[i].namelen + nv[i].valuelen + FIELD_OVERHEAD;
  return cost;
}

size_t wt__fields_to_nv(const struct wt__fields *fields, nghttp3_nv *nv, size_t max) {
  size_t count = 0;
  for (; count < fields->count && count < max; count++) {
    const struct wt__field *field = &fields->items[count];
    nv[count] = (nghttp3_nv){(uint8_t *)field_name(fields, count), (uint8_t *)field_value(fields, count),
                             field->name_len, field->value_len, NGHTTP3_NV_FLAG_NONE};
  }
  return count;
}
