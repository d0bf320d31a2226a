/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_PRINTER_H
#define WEBTRANSPORT_TOOL_PRINTER_H

#include "connect/standard_io.h"

enum {
  PRINTER_LABEL_SIZE = 40
};

/* Where printed bytes come from: a stream, or one datagram. The caller zeroes it and writes the label. */
struct printed_source {
  char label[PRINTER_LABEL_SIZE]; /* "4 bidi" */
  bool message;                   /* a datagram or a message: all its lines belong together */
  bool in_line;                   /* its last line has no line end yet */
  uint8_t last;                   /* its last byte */
};

/* Standard output, shared by several sources. */
struct printer {
  struct standard_io *io;
  bool prefix; /* each line begins with its source's label */
  bool escape; /* control characters are printed as \x1b, so that a terminal does not obey them */
  const struct printed_source *current; /* the source whose line has begun and not ended; NULL: none */
};

/* Prints `data` and returns how many bytes there was room for. If that is not all, `on_room` follows
 * (standard_io.h). */
size_t printer_put(struct printer *printer, struct printed_source *source, const uint8_t *data, size_t len);

/* Ends the line of `source`, from which nothing follows. */
void printer_end(struct printer *printer, struct printed_source *source);

/*
 * Prints a part of a message that is a line, or several lines that belong together; `source->message` is true. `last`: the
 * message ends with this part, and gets a line end unless it has one. Returns how many bytes there was room for, and sets
 * `*over` when the message is complete: with `last`, all of the part and the line end had room.
 */
size_t printer_message(struct printer *printer, struct printed_source *source, const uint8_t *data, size_t len,
                       bool last, bool *over);

/* Prints a whole datagram, with a line end after it unless `bare`. False: there was no room. */
bool printer_datagram(struct printer *printer, const uint8_t *data, size_t len, bool bare);

#endif
