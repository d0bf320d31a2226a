/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_HASH_TEXT_H
#define WEBTRANSPORT_TOOL_HASH_TEXT_H

#include <stdint.h>

/* Writes a SHA-256 as 64 hexadecimal digits, with a NUL. */
void hash_hex(const uint8_t hash[32], char text[65]);

/* Writes a SHA-256 in base64: 44 characters, with a NUL. */
void hash_base64(const uint8_t hash[32], char text[45]);

#endif
