/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_PRINTER_H
#define WEBTRANSPORT_TOOL_PRINTER_H

#include "connect/standard_io.h"

enum {
  PRINTER_LABEL_SIZE = 40
};

/* Where printed bytes come from: a stream, or one datagram. To be zeroed, then given a label. */
struct source {
  char label[PRINTER_LABEL_SIZE]; /* "4 bidi" */
  bool message;                   /* all its lines belong together, as those of a datagram do */
  bool in_line;                   /* its last line has not ended */
  uint8_t last;                   /* its last byte */
};

/* Standard output as several sources share it. */
struct printer {
  struct pipes *pipes;
  bool prefix;                  /* each line begins with its source's label */
  bool escape;                  /* control characters are shown instead of sent to the terminal */
  const struct source *current; /* whose line it is in the midst of; NULL: none's */
};

/* Prints `data`; returns how many of its bytes there was room for. If not for all, `on_room` follows (standard_io.h). */
size_t printer_put(struct printer *printer, struct source *source, const uint8_t *data, size_t len);

/* Nothing follows from `source`: ends its line, where lines matter. */
void printer_end(struct printer *printer, struct source *source);

/* Prints a datagram whole, with a line end after it unless `bare`; false if there was no room. */
bool printer_datagram(struct printer *printer, const uint8_t *data, size_t len, bool bare);

/* Copies a text of the peer, with control characters made visible; cut to `size` bytes. Returns `out`. */
const char *printer_visible(const char *text, char *out, size_t size);

#endif
