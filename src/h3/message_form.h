/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_MESSAGE_FORM_H
#define WT_H3_MESSAGE_FORM_H

/* Whether a field section has the form of its part of a message (RFC 9114, sections 4.1.2 to 4.4). */

#include <stdbool.h>
#include <stdint.h>

#include "h3/fields.h"

/* What the request asked for, so far as it changes the content of its response (RFC 9110, section 6.4.1). */
enum wt__response_to {
  WT__RESPONSE_TO_OTHER = 0,
  WT__RESPONSE_TO_HEAD,    /* no content */
  WT__RESPONSE_TO_CONNECT, /* a tunnel, if it is 2xx */
};

struct wt__message_form {
  int status;             /* of a response */
  int64_t content_length; /* the length that the content has to have; -1: any */
};

/* Each returns false if the message is malformed; `form` is undefined then. */
bool wt__request_form(const struct wt__fields *fields, struct wt__message_form *form);
bool wt__response_form(const struct wt__fields *fields, enum wt__response_to to, struct wt__message_form *form);
bool wt__trailer_form(const struct wt__fields *fields);

#endif
