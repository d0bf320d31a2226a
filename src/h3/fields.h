/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_FIELDS_H
#define WT_H3_FIELDS_H

/* The fields of a message, received or to be sent, in the order in which they came. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

#include <webtransport/request.h>

#include "base/gauge.h"

/* A field's name and value in `wt__fields.text`, each with a NUL behind it that its length does not count. */
struct wt__field {
  uint32_t at; /* of the name; the value follows behind its NUL */
  uint32_t name_len, value_len;
};

struct wt__fields {
  char *text;
  size_t len, cap;
  struct wt__field *items;
  size_t count, items_cap; /* `count`: as they came; behind them `joined` more that were made of several */
  size_t joined;
  size_t cost, max;        /* as RFC 9114, section 4.2.2 counts */
  struct wt__gauge *gauge; /* where both blocks count; NULL, as they are born: nowhere */
};

void wt__fields_init(struct wt__fields *fields, size_t max);
void wt__fields_free(struct wt__fields *fields);
/* Nothing is added after an error: WT_ERR_INVALID, a character that neither a peer nor an application may send
 * (wire/field.h); WT_ERR_TOO_LARGE, the fields would cost more than `max`; WT_ERR_NOMEM. */
int wt__fields_add(struct wt__fields *fields, const uint8_t *name, size_t name_len, const uint8_t *value,
                   size_t value_len);
int wt__fields_add_text(struct wt__fields *fields, const char *name, const char *value);
/* Once all fields are there: joins the values of those that came more than once, for `wt__fields_value`. WT_ERR_NOMEM. */
int wt__fields_join(struct wt__fields *fields);
/* Moves all fields to `*to`, which is empty and counts in the same gauge. Neither may get more fields then. */
void wt__fields_move(struct wt__fields *to, struct wt__fields *from);
/* Copies all fields to `*to`, which may count in another gauge. WT_ERR_NOMEM: `*to` is empty. */
int wt__fields_copy(struct wt__fields *to, const struct wt__fields *from);
/* The value of the field of that name, joined if it came more than once, or NULL. */
const char *wt__fields_value(const struct wt__fields *fields, const char *name);
/* The same for an application: NULL too if `name` is NULL, or that of a pseudo-header field. */
const char *wt__fields_header_value(const struct wt__fields *fields, const char *name);
/* The first field of that name behind `after` (a value given before, or NULL), or NULL; none that was joined. */
char *wt__fields_find(const struct wt__fields *fields, const char *name, const char *after);
/* The `index`th field as it came, borrowed; `all`: pseudo-header fields too. WT_ERR_NOT_FOUND. */
int wt__fields_at(const struct wt__fields *fields, size_t index, bool all, struct wt_header *header);
/* For nghttp3; both are borrowed. */
nghttp3_nv wt__fields_nv(const char *name, const char *value);
/* What a header section of these fields costs (RFC 9114, section 4.2.2). */
uint64_t wt__fields_nv_cost(const nghttp3_nv *nv, size_t count);
/* All fields, at most `max`. Returns their number. */
size_t wt__fields_to_nv(const struct wt__fields *fields, nghttp3_nv *nv, size_t max);

#endif
