/* SPDX-License-Identifier: MIT */
/*
 * Messages on one stream, as servers send them to subscribers of topics (WT_DELIVERY_STREAM in webtransport/topic.h). What
 * has no room in the queue of standard output stays with the stream, so a line end must have room before the last byte of
 * its message is taken: nothing would bring us back for it.
 */
#include "connect/message_reader.h"

#include <string.h>

enum {
  HEAD_LEN = 4
};

/* Takes bytes of a length; true: it is complete. */
static bool head_take(struct message_reader *reader, const uint8_t *data, size_t len, size_t *at) {
  while (reader->head_len < HEAD_LEN && *at < len) reader->head[reader->head_len++] = data[(*at)++];
  if (reader->head_len < HEAD_LEN) return false;
  const uint8_t *head = reader->head;
  reader->left = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
  return true;
}

/* Takes bytes of the message. Returns how many; `*over`: it is complete. */
static size_t body_take(struct message_reader *reader, struct printer *printer, struct printed_source *source,
                        const uint8_t *data, size_t len, bool *over) {
  size_t part = len < reader->left ? len : reader->left;
  bool last = part == reader->left;
  size_t taken = part;
  *over = last;
  if (reader->named) taken = printer_message(printer, source, data, part, last, over);
  reader->left -= (uint32_t)taken;
  return taken;
}

size_t message_reader_put(struct message_reader *reader, struct printer *printer, struct printed_source *source,
                          const uint8_t *data, size_t len) {
  size_t at = 0;
  bool over;
  do {
    bool begins = reader->head_len < HEAD_LEN;
    if (begins && !head_take(reader, data, len, &at)) return at;
    at += body_take(reader, printer, source, data + at, len - at, &over);
    if (over) {
      reader->head_len = 0;
      reader->named = true;
    } else if (begins && reader->left == 0) {
      reader->head_len--; /* an empty message whose line end has no room: the length is read again */
      return at - 1;
    } else {
      return at;
    }
  } while (at < len);
  return at;
}

bool message_reader_is_between(const struct message_reader *reader) { return reader->head_len == 0; }
