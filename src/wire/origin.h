/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_ORIGIN_H
#define WT_WIRE_ORIGIN_H

/* Origins (RFC 6454): "https://example.com:4433", compared with the authority of a request. */

#include <stdbool.h>

/*
 * Whether `origin`, the value of the header field, is the same as "https://" and `authority`: host
 * compared without regard to ASCII case, port 443 the same as none. False for "null", for another
 * scheme than https, and for what does not parse (a path, user info, spaces, more than one).
 */
bool wt__origin_same(const char *origin, const char *authority);

/* Whether two origins are the same (scheme, host, port with the scheme's default). For lists of allowed ones. */
bool wt__origin_equal(const char *a, const char *b);

#endif
