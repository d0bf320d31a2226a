/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_BYTES_TEXT_H
#define WEBTRANSPORT_TOOL_BYTES_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes as text. Both read the whole of `text` into `bytes` and set `*len`. They return false, without a change of `*len`,
 * if it is something else, nothing, or more than `max` bytes.
 */

/* Pairs of hexadecimal digits, with "0x" before them or without: "0x31441a". */
bool bytes_from_hex(const char *text, uint8_t *bytes, size_t max, size_t *len);

/* Base64 (RFC 4648, section 4), with its padding. */
bool bytes_from_base64(const char *text, uint8_t *bytes, size_t max, size_t *len);

#endif
