/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_RECORD_READER_H
#define WEBTRANSPORT_TOOL_RECORD_READER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
  RECORD_MAX = 65536, /* bytes; a longer one is passed over. ngtcp2's have at most some 4,000 */
};

/* Reads the records of a qlog in JSON-SEQ (RFC 7464), or one a line, one at a time. */
struct record_reader {
  FILE *file;
  uint64_t unread; /* records that were too long or no JSON object */
  char text[RECORD_MAX];
};

/* The next record, which the caller frees with json_decref. NULL: the end, or an error of `file`. */
json_t *record_read(struct record_reader *reader);

#endif
