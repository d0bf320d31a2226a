/* SPDX-License-Identifier: MIT */
/*
 * Prints several streams and datagrams on one standard output. Without prefixes, bytes are passed on as they come, so
 * that a pipe gets what the server sent and nothing else. With prefixes:
 *
 *   [0 bidi] a line on the first stream
 *   [15 uni <-] the beginning of a line on
 *   [datagram] that came in between
 *   [15 uni <- ...] another stream, and its rest
 *
 * The printer does not wait for the end of a line, so a prompt without a line end is seen at once.
 *
 * A terminal must not obey the server's bytes, so control characters are escaped (common/visible_text.h). A C1 control
 * character is two bytes in UTF-8. The first may be printed before the second arrives; it is enough to escape the
 * second.
 */
#include "connect/printer.h"

#include <stdio.h>
#include <string.h>

#include "common/visible_text.h"

enum {
  PIECE = 64,                                /* bytes that are prepared at a time */
  BYTE_MAX = PRINTER_LABEL_SIZE + 9 + 4 + 1, /* what one byte may become: a line end, "[LABEL ...] ", "\x1b" */
  PIECE_MAX = PIECE * BYTE_MAX,
};

struct piece {
  char text[PIECE_MAX];
  size_t len;
};

static void piece_add(struct piece *piece, const char *text) {
  size_t len = strlen(text);
  memcpy(piece->text + piece->len, text, len);
  piece->len += len;
}

/* Adds the label where a line begins, or where it continues after another source's line. */
static void piece_begin(struct printer *printer, struct printed_source *source, struct piece *piece) {
  if (!printer->prefix || printer->current == source) return;
  if (printer->current) piece_add(piece, "\n");
  piece_add(piece, "[");
  piece_add(piece, source->label);
  piece_add(piece, source->in_line ? " ...] " : "] ");
  printer->current = source;
  source->in_line = true;
}

static void piece_byte(struct printer *printer, struct printed_source *source, struct piece *piece, uint8_t byte) {
  char hex[5];
  piece_begin(printer, source, piece);
  if (printer->escape && is_control(byte, source->last)) {
    snprintf(hex, sizeof hex, "\\x%02x", byte);
    piece_add(piece, hex);
  } else {
    piece->text[piece->len++] = (char)byte;
  }
  source->last = byte;
  if (byte != '\n') return;
  printer->current = NULL;
  source->in_line = source->message;
}

size_t printer_put(struct printer *printer, struct printed_source *source, const uint8_t *data, size_t len) {
  size_t done = 0;
  if (!printer->prefix && !printer->escape) {
    size_t room = io_output_room(printer->io, len);
    if (room > len) room = len;
    io_write(printer->io, data, room);
    return room;
  }
  while (done < len && io_output_room(printer->io, PIECE_MAX) >= PIECE_MAX) {
    struct piece piece = {.len = 0};
    for (size_t end = len - done < PIECE ? len : done + PIECE; done < end; done++)
      piece_byte(printer, source, &piece, data[done]);
    io_write(printer->io, piece.text, piece.len);
  }
  return done;
}

void printer_end(struct printer *printer, struct printed_source *source) {
  if (printer->current == source) {
    io_write(printer->io, "\n", 1);
    printer->current = NULL;
  }
  source->in_line = false;
}

/* Prints the end of a message, up to PIECE bytes, with the line end. There is room. */
static void message_end(struct printer *printer, struct printed_source *source, const uint8_t *data, size_t len) {
  struct piece piece = {.len = 0};
  if (len || !source->in_line) piece_begin(printer, source, &piece); /* also for an empty message */
  io_write(printer->io, piece.text, piece.len);
  printer_put(printer, source, data, len);
  if (!printer->prefix || printer->current == source) io_write(printer->io, "\n", 1);
  printer->current = NULL;
  source->in_line = false;
  source->last = 0;
}

size_t printer_message(struct printer *printer, struct printed_source *source, const uint8_t *data, size_t len,
                       bool last, bool *over) {
  size_t tail = !last ? 0 : len < PIECE ? len : PIECE;
  size_t done = printer_put(printer, source, data, len - tail);
  *over = last && done == len - tail && io_output_room(printer->io, 2 * PIECE_MAX) >= 2 * PIECE_MAX;
  if (!*over) return done;
  message_end(printer, source, data + done, tail);
  return len;
}

bool printer_datagram(struct printer *printer, const uint8_t *data, size_t len, bool bare) {
  struct printed_source source = {.label = "datagram", .message = true};
  struct piece piece = {.len = 0};
  size_t most = len / PIECE * PIECE_MAX + 2 * PIECE_MAX;
  if (most > IO_OUTPUT_SIZE) most = IO_OUTPUT_SIZE; /* no path carries a datagram that does not fit then */
  if (io_output_room(printer->io, 0) < most) return false;
  piece_begin(printer, &source, &piece); /* also for an empty datagram */
  io_write(printer->io, piece.text, piece.len);
  printer_put(printer, &source, data, len);
  if (!bare && !(printer->prefix && len && data[len - 1] == '\n')) io_write(printer->io, "\n", 1);
  printer->current = NULL;
  return true;
}
