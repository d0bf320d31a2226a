/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_JSON_TEXT_H
#define WEBTRANSPORT_TOOL_JSON_TEXT_H

#include <jansson.h>

/* Makes a JSON string of a text from a peer or a file. A text that is not UTF-8 is replaced; NULL becomes null. */
json_t *json_text(const char *text);

/* The same for a log, whose lines must have a bound and may be printed on a terminal: bytes that are not UTF-8, and DEL,
 * become U+FFFD, and a text of more than `max` bytes is cut and ends in "...". Dump it with JSON_ENSURE_ASCII. */
json_t *json_log_text(const char *text, size_t max);

#endif
