/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_JSON_TEXT_H
#define WEBTRANSPORT_TOOL_JSON_TEXT_H

#include <jansson.h>

/* A string that a peer or a file may have written. What is not UTF-8 is replaced; NULL stands for null. */
json_t *json_text(const char *text);

#endif
