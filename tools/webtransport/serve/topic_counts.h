/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_TOPIC_COUNTS_H
#define WEBTRANSPORT_TOOL_TOPIC_COUNTS_H

#include <stdint.h>

struct site;

/* Gets a count. `type` is "gauge" or "counter". */
typedef void (*count_visit)(const char *name, const char *type, const char *help, uint64_t count, void *user_data);

/* Visits the counts of topics, and of the backplane if there is one. Any thread. */
void topic_counts(const struct site *site, count_visit visit, void *user_data);

#endif
