/* SPDX-License-Identifier: MIT */
/*
 * The transitions of a stream's sending part. The drawing is in sending.h.
 *
 * The difficult one is the reset (draft section 4.4). QUIC may drop all bytes of a stream when it is reset, and the
 * stream header is among these bytes. There are two ways to keep the header:
 *
 * - RESET_STREAM_AT names a Reliable Size: the peer gets the bytes before it in spite of the reset. It may be sent as
 *   soon as these bytes are sent.
 * - RESET_STREAM has no such promise. It may be sent once the peer has acknowledged the header.
 *
 * Bytes that were sent stay in the queue after RESET_STREAM_AT, because QUIC may have to send them again.
 */

#include "core/sending.h"

void wt__sending_init(struct wt__sending *sending, bool exists, size_t queue_max) {
  *sending = (struct wt__sending){.state = exists ? WT__SENDING_SEND : WT__SENDING_NONE};
  wt__sendq_init(&sending->queue, queue_max);
}

int wt__sending_add_header(struct wt__sending *sending, const uint8_t *header, size_t len) {
  size_t taken;
  sending->header_len = len;
  return wt__sendq_append(&sending->queue, header, len, true, &taken);
}

uint64_t wt__sending_header_left(const struct wt__sending *sending) {
  return sending->queue.sent < sending->header_len ? sending->header_len - sending->queue.sent : 0;
}

void wt__sending_end(struct wt__sending *sending) {
  if (sending->state != WT__SENDING_SEND) return;
  sending->state = WT__SENDING_DATA_SENT;
  sending->queue.fin = true;
}

uint64_t wt__sending_sent(struct wt__sending *sending, size_t len, bool fin) {
  uint64_t from = sending->queue.sent > sending->header_len ? sending->queue.sent : sending->header_len;
  wt__sendq_sent(&sending->queue, len, fin);
  return sending->queue.sent > from ? sending->queue.sent - from : 0;
}

bool wt__sending_acked(struct wt__sending *sending, uint64_t offset, struct wt__released *released) {
  if (offset > sending->acked) sending->acked = offset;
  return wt__sendq_acked(&sending->queue, offset, released) && wt__sending_is_writable(sending);
}

bool wt__sending_reset(struct wt__sending *sending, uint64_t wire_code, uint64_t reliable,
                       struct wt__released *released) {
  struct wt__sendq *queue = &sending->queue;
  bool due = reliable == 0 && sending->acked >= sending->header_len;
  if (!wt__sending_is_open(sending)) return false;
  queue->fin = queue->fin && queue->fin_sent;
  if (!due) wt__sendq_drop_unsent(queue, reliable > 0 ? reliable : sending->header_len, released);
  if (reliable > 0) due = queue->sent == queue->end;
  sending->reset_code = wire_code;
  sending->state = due ? WT__SENDING_RESET_SENT : WT__SENDING_RESET_QUEUED;
  return due;
}

void wt__sending_reset_sent(struct wt__sending *sending) {
  if (wt__sending_is_open(sending)) sending->state = WT__SENDING_RESET_SENT;
}

void wt__sending_closed(struct wt__sending *sending) {
  if (sending->state == WT__SENDING_NONE) return;
  sending->state = wt__sending_is_ended(sending) ? WT__SENDING_DATA_RECVD : WT__SENDING_RESET_RECVD;
}
