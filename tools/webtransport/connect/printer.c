/* SPDX-License-Identifier: MIT */
/*
 * What several streams and the datagrams have to say, on one standard output. Without prefixes bytes are passed on
 * as they come, so that a pipe gets what the server sent and nothing else. With them:
 *
 *   [0 bidi] a line on the first stream
 *   [15 uni <-] the beginning of a line on
 *   [datagram] that came in between
 *   [15 uni <- ...] another stream, and its rest
 *
 * Nothing is held back to wait for the end of a line: a prompt without one is seen at once.
 *
 * On a terminal the server's bytes must not become commands to it (move the cursor, set the title, answer for the
 * user): control characters are shown as \x1b. Those of C1 are two bytes in UTF-8, the first of which is out
 * already when the second comes; escaping the second alone leaves no control character either.
 */
#include "connect/printer.h"

#include <stdio.h>
#include <string.h>

enum {
  PIECE = 64,                                /* bytes that are made ready at a time */
  BYTE_MAX = PRINTER_LABEL_SIZE + 9 + 4 + 1, /* that one may become: a line end, "[LABEL ...] ", "\x1b" */
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

/* Puts the label where a line begins, or goes on after another source's. */
static void piece_begin(struct printer *printer, struct source *source, struct piece *piece) {
  if (!printer->prefix || printer->current == source) return;
  if (printer->current) piece_add(piece, "\n");
  piece_add(piece, "[");
  piece_add(piece, source->label);
  piece_add(piece, source->in_line ? " ...] " : "] ");
  printer->current = source;
  source->in_line = true;
}

static bool is_control(uint8_t byte, uint8_t last) {
  if (byte == '\n' || byte == '\t') return false;
  return byte < 0x20 || byte == 0x7f || (last == 0xc2 && byte >= 0x80 && byte < 0xa0);
}

static void piece_byte(struct printer *printer, struct source *source, struct piece *piece, uint8_t byte) {
  char hex[5];
  piece_begin(printer, source, piece);
  if (printer->escape && is_control(byte, source->last)) {
    (void)snprintf(hex, sizeof hex, "\\x%02x", byte);
    piece_add(piece, hex);
  } else {
    piece->text[piece->len++] = (char)byte;
  }
  source->last = byte;
  if (byte != '\n') return;
  printer->current = NULL;
  source->in_line = source->message;
}

size_t printer_put(struct printer *printer, struct source *source, const uint8_t *data, size_t len) {
  size_t done = 0;
  if (!printer->prefix && !printer->escape) {
    size_t room = pipes_room(printer->pipes, len);
    if (room > len) room = len;
    pipes_write(printer->pipes, data, room);
    return room;
  }
  while (done < len && pipes_room(printer->pipes, PIECE_MAX) >= PIECE_MAX) {
    struct piece piece = {.len = 0};
    for (size_t end = len - done < PIECE ? len : done + PIECE; done < end; done++)
      piece_byte(printer, source, &piece, data[done]);
    pipes_write(printer->pipes, piece.text, piece.len);
  }
  return done;
}

void printer_end(struct printer *printer, struct source *source) {
  if (printer->current == source) {
    pipes_write(printer->pipes, "\n", 1);
    printer->current = NULL;
  }
  source->in_line = false;
}

bool printer_datagram(struct printer *printer, const uint8_t *data, size_t len, bool bare) {
  struct source source = {.label = "datagram", .message = true};
  struct piece piece = {.len = 0};
  size_t most = len / PIECE * PIECE_MAX + 2 * PIECE_MAX;
  if (most > PIPES_OUTPUT_SIZE) most = PIPES_OUTPUT_SIZE; /* no path carries what might not fit then */
  if (pipes_room(printer->pipes, 0) < most) return false;
  piece_begin(printer, &source, &piece); /* also of an empty one */
  pipes_write(printer->pipes, piece.text, piece.len);
  printer_put(printer, &source, data, len);
  if (!bare && !(printer->prefix && len && data[len - 1] == '\n')) pipes_write(printer->pipes, "\n", 1);
  printer->current = NULL;
  return true;
}

const char *printer_visible(const char *text, char *out, size_t size) {
  size_t len = 0;
  uint8_t last = 0;
  for (; *text && len + 5 < size; text++) {
    uint8_t byte = (uint8_t)*text;
    bool control = byte == '\n' || byte == '\t' || is_control(byte, last);
    len += (size_t)snprintf(out + len, size - len, control ? "\\x%02x" : "%c", byte);
    last = byte;
  }
  out[len] = 0;
  return out;
}
