/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_MESSAGE_SPLITTER_H
#define WEBTRANSPORT_TOOL_MESSAGE_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Splits the one stream of WT_DELIVERY_STREAM (webtransport/topic.h): the topic's name comes first, then messages, each with
 * its length in front. All zero but `max`: at the beginning. */
struct message_splitter {
  size_t max;        /* bytes of a message */
  bool named;        /* the name has come */
  uint8_t prefix[4]; /* of the message that comes */
  size_t have;       /* bytes of its prefix and itself */
  uint8_t *bytes;    /* a message that does not come at once; allocated when first needed */
};

enum message_split {
  MESSAGE_SPLIT_ALL,      /* all bytes were taken */
  MESSAGE_SPLIT_TOO_LONG, /* a message is longer than `max`, or a name longer than a topic can have */
  MESSAGE_SPLIT_NOMEM,
};

/* Gives each message that `data` completes to `on_message`. */
enum message_split message_splitter_feed(struct message_splitter *splitter, const uint8_t *data, size_t len,
                                         void (*on_message)(void *ctx, const uint8_t *data, size_t len), void *ctx);
void message_splitter_free(struct message_splitter *splitter);

#endif
