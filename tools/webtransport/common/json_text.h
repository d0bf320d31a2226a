/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_JSON_TEXT_H
#define WEBTRANSPORT_TOOL_JSON_TEXT_H

#include <jansson.h>

/* Makes a JSON string of a text from a peer or a file. A text that is not UTF-8 is replaced; NULL becomes null. */
json_t *json_text(const char *text);

#endif
