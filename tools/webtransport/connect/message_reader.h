/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_MESSAGE_READER_H
#define WEBTRANSPORT_TOOL_MESSAGE_READER_H

#include "connect/printer.h"

/* Prints the messages on a stream, each on a line of its own. Begins as all zero. */
struct message_reader {
  uint8_t head[4]; /* the length of the next message */
  uint8_t head_len;
  bool named;    /* the name of the topic, which comes first, is over */
  uint32_t left; /* bytes of the message that follow */
};

/*
 * Prints messages that have their length in front, 4 bytes, big-endian. The first one is the name of their topic and not
 * printed. Returns how many bytes were taken: less than `len` if standard output has no room.
 */
size_t message_reader_put(struct message_reader *reader, struct printer *printer, struct printed_source *source,
                          const uint8_t *data, size_t len);

/* Whether the stream may end here. */
bool message_reader_is_between(const struct message_reader *reader);

#endif
