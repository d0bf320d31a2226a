/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_LINE_WRITER_H
#define WEBTRANSPORT_TOOL_LINE_WRITER_H

#include <stddef.h>
#include <stdint.h>

/* A file, a pipe or standard output that gets whole lines from a thread of its own: see line_writer.c. */
struct line_writer;

enum {
  LINE_WRITER_QUEUE = 1 << 20 /* bytes that wait for the thread at most; as many more are being written */
};

/*
 * Opens `path` for appending; "-" is standard output. A file that is made gets the mode 0640, and belongs to `user`
 * ("NAME" or "NAME:GROUP") if that is not NULL and the process may give it away. `name` is for the log, and outlives the
 * writer. NULL: `message` says why.
 */
struct line_writer *line_writer_open(const char *name, const char *path, const char *user, char *message, size_t size);

/* Queues a line of `len` bytes without its line end. It never waits: a line without room is dropped, and counted. Any
 * thread. */
void line_writer_add(struct line_writer *writer, const char *line, size_t len);

/* The next lines go to what `path` names then: after a rotation. Any thread. */
void line_writer_reopen(struct line_writer *writer);

/* How many lines were dropped: no room, or they could not be written. Any thread. NULL: 0. */
uint64_t line_writer_dropped(struct line_writer *writer);

/* Writes what waits, for a second at most, and ends the thread. NULL is allowed. */
void line_writer_close(struct line_writer *writer);

#endif
