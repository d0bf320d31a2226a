/* SPDX-License-Identifier: MIT */
/*
 * Bytes to a back end. They come in the pieces that QUIC's packets have, some 1,200 bytes. Sent like that, each is a
 * system call and, with TCP_NODELAY, a segment; a receiver's window is then used up by what the kernel adds to each
 * segment, and TCP loses segments on the loopback interface (1 GiB took two minutes). So pieces are gathered until the
 * turn of the loop ends: a message alone is not delayed, and a transfer leaves in pieces of up to 64 KiB.
 *
 * One buffer serves all sockets, because packets of one stream mostly come one after the other: if bytes of another
 * stream come, those of the first are sent. What a socket does not take then is kept in `rest`, at most the size of
 * the buffer; until it is gone, nothing more is taken.
 */
#include "gateway/outgoing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Returns how many bytes the socket took, or -1. */
static ssize_t socket_send(int fd, const uint8_t *data, size_t len) {
  ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
  return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

int outgoing_flush(struct outgoing *outgoing, struct gather *gather) {
  if (!gather->owner || gather->owner != outgoing) return 0;
  size_t len = gather->len;
  gather->owner = NULL;
  gather->len = 0;
  ssize_t sent = socket_send(outgoing->fd, gather->data, len);
  if (sent < 0) return errno;
  if ((size_t)sent == len) return 0;
  outgoing->rest_at = 0;
  outgoing->rest_len = len - (size_t)sent;
  outgoing->rest = malloc(outgoing->rest_len);
  if (!outgoing->rest) {
    outgoing->rest_len = 0;
    return ENOMEM;
  }
  memcpy(outgoing->rest, gather->data + sent, outgoing->rest_len);
  return 0;
}

bool gather_flush(struct gather *gather) {
  struct outgoing *owner = gather->owner;
  if (!owner) return false;
  int error = outgoing_flush(owner, gather);
  bool trouble = error || owner->rest;
  owner->on_flush(owner->user_data, error);
  return trouble;
}

ssize_t outgoing_put(struct outgoing *outgoing, struct gather *gather, const uint8_t *data, size_t len) {
  if (gather->owner != outgoing) gather_flush(gather);
  if (len > GATHER_SIZE - gather->len) {
    int error = outgoing_flush(outgoing, gather);
    errno = error;
    if (error) return -1;
  }
  if (outgoing->rest) return 0;
  if (!gather->len && len >= GATHER_DIRECT) return socket_send(outgoing->fd, data, len);
  gather->owner = outgoing;
  memcpy(gather->data + gather->len, data, len);
  gather->len += len;
  return (ssize_t)len;
}

int outgoing_send_rest(struct outgoing *outgoing) {
  if (!outgoing->rest) return 0;
  ssize_t sent = socket_send(outgoing->fd, outgoing->rest + outgoing->rest_at, outgoing->rest_len);
  if (sent < 0) return errno;
  outgoing->rest_at += (size_t)sent;
  outgoing->rest_len -= (size_t)sent;
  if (outgoing->rest_len) return 0;
  free(outgoing->rest);
  outgoing->rest = NULL;
  return 0;
}

void outgoing_drop(struct outgoing *outgoing, struct gather *gather) {
  if (gather->owner == outgoing) {
    gather->owner = NULL;
    gather->len = 0;
  }
  free(outgoing->rest);
  outgoing->rest = NULL;
  outgoing->rest_len = 0;
}
