/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_VISIBLE_TEXT_H
#define WEBTRANSPORT_TOOL_VISIBLE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a terminal may obey `byte`, which follows `last`. Line ends and tabs do not count. */
bool is_control(uint8_t byte, uint8_t last);

/* Copies a text of the peer into `out`, with control characters, line ends and tabs escaped, cut to `size` bytes.
 * Returns `out`. */
const char *visible_text(const char *text, char *out, size_t size);

#endif
