/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_HEADER_CHECK_H
#define WT_H3_HEADER_CHECK_H

/* Which header fields may be sent. */

#include <stdbool.h>

#include <webtransport/request.h>

/* A token (RFC 9110, section 5.6.2); names of fields have no upper-case letters. */
bool wt__token_valid(const char *token, bool upper);
/* Whether a field belongs to one connection of HTTP/1.1, as `te` does with most values. */
bool wt__header_name_forbidden(const char *name);
/* Likewise in a request, which names its host in `:authority` (RFC 9114, section 4.3.1). */
bool wt__request_header_valid(const struct wt_header *header);
/* Whether a field of the application may be sent. */
bool wt__header_valid(const struct wt_header *header);

#endif
