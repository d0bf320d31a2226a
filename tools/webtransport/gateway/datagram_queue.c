/* SPDX-License-Identifier: MIT */
/*
 * Datagrams that wait for a socket. A Unix socket takes only some ten datagrams (net.unix.max_dgram_qlen) that its
 * reader has not read, so a short burst of a client would be lost. Here it waits, up to a bound.
 */
#include "gateway/datagram_queue.h"

#include <stdlib.h>
#include <string.h>

bool datagram_queue_put(struct datagram_queue *queue, const uint8_t *data, size_t len) {
  if (queue->count == DATAGRAM_QUEUE_COUNT || len > DATAGRAM_QUEUE_BYTES - queue->bytes) return false;
  struct waiting_datagram *waiting = malloc(sizeof *waiting + len);
  if (!waiting) return false;
  waiting->next = NULL;
  waiting->len = len;
  if (len > 0) memcpy(waiting->data, data, len);
  if (!queue->first) queue->end = &queue->first;
  *queue->end = waiting;
  queue->end = &waiting->next;
  queue->count++;
  queue->bytes += len;
  return true;
}

void datagram_queue_drop(struct datagram_queue *queue) {
  struct waiting_datagram *first = queue->first;
  queue->first = first->next;
  queue->count--;
  queue->bytes -= first->len;
  free(first);
}

void datagram_queue_free(struct datagram_queue *queue) {
  while (queue->first) datagram_queue_drop(queue);
}
