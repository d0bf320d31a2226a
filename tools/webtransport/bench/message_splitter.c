/* SPDX-License-Identifier: MIT */
/*
 * Splits a stream into messages, which have their lengths in front. A message that comes whole, as most do, is passed on where it
 * lies. Others are put together first.
 */
#include "bench/message_splitter.h"

#include <stdlib.h>
#include <string.h>

enum {
  PREFIX = sizeof((struct message_splitter *)0)->prefix,
  NAME_MAX_LEN = 255, /* of a topic */
};

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static size_t length_of(const uint8_t *prefix) {
  return (size_t)prefix[0] << 24 | (size_t)prefix[1] << 16 | (size_t)prefix[2] << 8 | prefix[3];
}

/* Takes bytes of the prefix; returns how many. */
static size_t prefix_take(struct message_splitter *splitter, const uint8_t *data, size_t len) {
  if (splitter->have >= PREFIX) return 0;
  size_t take = least(PREFIX - splitter->have, len);
  memcpy(splitter->prefix + splitter->have, data, take);
  splitter->have += take;
  return take;
}

/* Keeps a part of a message. False: out of memory. */
static bool part_keep(struct message_splitter *splitter, const uint8_t *data, size_t len) {
  size_t room = splitter->max > NAME_MAX_LEN ? splitter->max : NAME_MAX_LEN;
  if (len == 0) return true;
  if (!splitter->bytes) splitter->bytes = malloc(room);
  if (!splitter->bytes) return false;
  memcpy(splitter->bytes + splitter->have - PREFIX, data, len);
  splitter->have += len;
  return true;
}

enum message_split message_splitter_feed(struct message_splitter *splitter, const uint8_t *data, size_t len,
                                         void (*on_message)(void *ctx, const uint8_t *data, size_t len), void *ctx) {
  for (;;) {
    size_t taken = prefix_take(splitter, data, len);
    data += taken, len -= taken;
    if (splitter->have < PREFIX) return MESSAGE_SPLIT_ALL;
    size_t whole = length_of(splitter->prefix), had = splitter->have - PREFIX;
    if (whole > (splitter->named ? splitter->max : NAME_MAX_LEN)) return MESSAGE_SPLIT_TOO_LONG;
    size_t part = least(whole - had, len);
    bool at_once = had == 0 && part == whole;
    if (!at_once && !part_keep(splitter, data, part)) return MESSAGE_SPLIT_NOMEM;
    if (had + part < whole) return MESSAGE_SPLIT_ALL;
    if (splitter->named) on_message(ctx, at_once ? data : splitter->bytes, whole);
    splitter->named = true;
    splitter->have = 0;
    data += part, len -= part;
  }
}

void message_splitter_free(struct message_splitter *splitter) {
  free(splitter->bytes);
  splitter->bytes = NULL;
}
