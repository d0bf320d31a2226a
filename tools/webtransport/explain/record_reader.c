/* SPDX-License-Identifier: MIT */
/*
 * A record ends at a newline, at the byte 0x1e that begins the next one, or at the end of the file. JSON has neither byte
 * inside. What is too long or cannot be parsed is counted and passed over: a file may be cut in the middle, because its
 * process died.
 */
#include "explain/record_reader.h"

#include <stdbool.h>

#define SEPARATOR 0x1e

/* Reads up to the next separator. Returns false at the end of the file. `*len` is 0 for nothing, or for a record that is too
 * long. */
static bool text_read(struct record_reader *reader, size_t *len) {
  size_t all = 0;
  int c;
  while ((c = getc(reader->file)) != EOF && c != '\n' && c != SEPARATOR) {
    if (all < sizeof(reader->text)) reader->text[all] = (char)c;
    all++;
  }
  if (all > sizeof(reader->text)) reader->unread++;
  *len = all > sizeof(reader->text) ? 0 : all;
  return c != EOF || all > 0;
}

json_t *record_read(struct record_reader *reader) {
  size_t len;
  while (text_read(reader, &len)) {
    if (len == 0) continue;
    json_t *record = json_loadb(reader->text, len, 0, NULL);
    if (json_is_object(record)) return record;
    json_decref(record);
    reader->unread++;
  }
  return NULL;
}
