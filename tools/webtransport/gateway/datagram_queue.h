/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_DATAGRAM_QUEUE_H
#define WEBTRANSPORT_TOOL_GATEWAY_DATAGRAM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  DATAGRAM_QUEUE_COUNT = 256,
  DATAGRAM_QUEUE_BYTES = 256 * 1024,
};

/* Datagrams that wait for a socket, the oldest first. Begins as all zero. */
struct datagram_queue {
  struct waiting_datagram *first, **end;
  size_t count, bytes;
};

struct waiting_datagram {
  struct waiting_datagram *next;
  size_t len;
  uint8_t data[];
};

/* Copies a datagram to the end. False: the queue is full, or memory is. */
bool datagram_queue_put(struct datagram_queue *queue, const uint8_t *data, size_t len);

/* Takes the first one away; there has to be one. */
void datagram_queue_drop(struct datagram_queue *queue);

void datagram_queue_free(struct datagram_queue *queue);

#endif
