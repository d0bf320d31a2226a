/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_TOPIC_NAME_H
#define WEBTRANSPORT_TOOL_TOPIC_NAME_H

#include <stdbool.h>
#include <stddef.h>

enum {
  TOPIC_NAME_MAX = 255 /* bytes, as the library's */
};

#define TOPIC_PATH "/topic/"

/* The name of a topic, as it is after percent-decoding. */
struct topic_name {
  size_t len;
  char bytes[TOPIC_NAME_MAX];
};

/* Reads the name in a path that begins with TOPIC_PATH. Returns NULL, or a sentence that says what is wrong with it. */
const char *topic_name_read(const char *path, struct topic_name *name);

#endif
