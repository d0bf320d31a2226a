/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_CONDITIONAL_H
#define WT_H3_CONDITIONAL_H

/* Conditional requests (RFC 9110, section 13): validators of a file, and what a request asks of them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define WT__ETAG_MAX 64
#define WT__HTTP_DATE_MAX 32

/* What identifies one version of a file. */
struct wt__validators {
  char etag[WT__ETAG_MAX]; /* strong, with its quotes */
  time_t modified;         /* whole seconds */
};

/* The fields of a request; NULL: absent. */
struct wt__conditions {
  const char *if_match, *if_none_match, *if_modified_since, *if_unmodified_since, *if_range;
};

void wt__validators_init(struct wt__validators *validators, uint64_t size, time_t seconds, long nanoseconds);

/* What the conditions of a GET or HEAD come to: 200 (go on), 304 or 412. */
int wt__conditions_check(const struct wt__conditions *conditions, const struct wt__validators *validators);

/* Whether a Range field is to be looked at: no If-Range, or one that fits. */
bool wt__conditions_allow_range(const struct wt__conditions *conditions, const struct wt__validators *validators);

/* "Sun, 06 Nov 1994 08:49:37 GMT"; `dst` has room for WT__HTTP_DATE_MAX bytes. */
void wt__http_date_write(char *dst, time_t seconds);

/* Reads that form, and no other. */
bool wt__http_date_read(const char *s, time_t *seconds);

#endif
