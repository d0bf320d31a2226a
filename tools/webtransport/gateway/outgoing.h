/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_OUTGOING_H
#define WEBTRANSPORT_TOOL_GATEWAY_OUTGOING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
  GATHER_SIZE = 65536,
  GATHER_DIRECT = 8192, /* so many bytes at once are sent without a copy */
};

/* Bytes on their way to a socket. Begins as all zero, but for `fd` and the callback. */
struct outgoing {
  int fd;
  uint8_t *rest; /* that the socket did not take; NULL: there is none */
  size_t rest_at, rest_len;
  /* The gather was flushed, but not by a call for this socket. `error` is an `errno` or 0. */
  void (*on_flush)(void *user_data, int error);
  void *user_data;
};

/* Where the bytes of one socket at a time are gathered until the end of the loop's turn. Begins as all zero. */
struct gather {
  struct outgoing *owner;
  size_t len;
  uint8_t data[GATHER_SIZE];
};

/*
 * Takes up to `len` bytes, and returns how many. Less than `len`: the socket is full; wait until it is writable. -1:
 * it is broken, and `errno` says how.
 */
ssize_t outgoing_put(struct outgoing *outgoing, struct gather *gather, const uint8_t *data, size_t len);

/* Sends what is gathered for this socket. Returns 0 or an `errno`. What the socket does not take is in `rest`. */
int outgoing_flush(struct outgoing *outgoing, struct gather *gather);

/* The socket is writable: sends the rest. Returns 0 or an `errno`. */
int outgoing_send_rest(struct outgoing *outgoing);

/* Drops everything. */
void outgoing_drop(struct outgoing *outgoing, struct gather *gather);

/* The end of a turn: sends what is gathered, and tells its owner. Returns whether something is wrong, or is left. */
bool gather_flush(struct gather *gather);

#endif
