/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_BASE64_H
#define WEBTRANSPORT_TOOL_GATEWAY_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decode base64 into `out`, which has room for `size` bytes; `*out_len` is how many it got. False: a character that does
 * not belong there, bits that are left over, or no room. The first one takes the alphabet of URLs without padding, as
 * JWTs have it (RFC 7515, section 2); the second the plain alphabet with padding, and skips blanks, as PEM has it.
 */
bool base64_url_decode(const char *text, size_t len, uint8_t *out, size_t size, size_t *out_len);
bool base64_pem_decode(const char *text, size_t len, uint8_t *out, size_t size, size_t *out_len);

#endif
