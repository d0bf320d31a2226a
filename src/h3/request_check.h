/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_REQUEST_CHECK_H
#define WT_H3_REQUEST_CHECK_H

/* Whether the fields of a request fit together. nghttp3 looks at each field alone. */

#include "h3/fields.h"

/* What is wrong with a header section. */
enum wt__request_fault {
  WT__REQUEST_SOUND,
  WT__REQUEST_MALFORMED, /* a stream error of type H3_MESSAGE_ERROR (RFC 9114, section 4.1.2) */
  WT__REQUEST_UNCLEAR,   /* well-formed, but it says one thing in two ways: 400 */
  /* Not found by `wt__request_check`: the section was given up. */
  WT__REQUEST_TOO_LARGE, /* 431 */
  WT__REQUEST_NO_MEMORY, /* a reset */
};

/* Judges the fields of a whole header section. Unless SOUND, `*why` is a sentence about it, static. */
enum wt__request_fault wt__request_check(const struct wt__fields *fields, const char **why);

#endif
