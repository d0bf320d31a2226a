/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_REQUEST_FORM_H
#define WT_H3_REQUEST_FORM_H

/* Whether a header section has the form of a request (RFC 9114, sections 4.1.2 to 4.4). */

#include <stdbool.h>

#include "h3/fields.h"

/* False: the request is malformed. */
bool wt__request_form_valid(const struct wt__fields *fields);

#endif
