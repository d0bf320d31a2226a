/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_HEADER_CHECK_H
#define WT_H3_HEADER_CHECK_H

/* Which header fields an application may send. */

#include <stdbool.h>

#include <webtransport/request.h>

/* A token (RFC 9110, section 5.6.2); names of fields have no upper-case letters. */
bool wt__token_valid(const char *token, bool upper);
/* Likewise in a request, which names its host in `:authority` (RFC 9114, section 4.3.1). */
bool wt__request_header_valid(const struct wt_header *header);
/* Whether a field of the application may be sent. */
bool wt__header_valid(const struct wt_header *header);

#endif
