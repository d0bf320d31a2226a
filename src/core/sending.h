/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_SENDING_H
#define WT_CORE_SENDING_H

/*
 * The sending part of a stream (RFC 9000, section 3.1): the bytes it holds for the peer, and its state.
 *
 *            Send ------- end -------> Data Sent ---- acknowledged ---> Data Recvd
 *             |                           |
 *             +---------- reset ----------+
 *             |                           |
 *             |                           v
 *             |   the peer lacks     Reset Queued
 *             |   nothing                 |
 *             |                           |  what the peer needs was sent, or acknowledged
 *             v                           v
 *             +--------------------> Reset Sent ---- acknowledged ---> Reset Recvd
 *
 * Two states differ from the RFC's. Ready is part of Send, because each stream of ours has its header to send from the
 * beginning. Reset Queued is ours: without the stream header the peer cannot tell which session a reset belongs to,
 * so the reset waits for the header (see `wt__sending_reset`).
 *
 * This file knows neither the session nor the transport. stream_send.c tells it what happened, and calls the transport.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sendq.h"

enum wt__sending_state {
  WT__SENDING_NONE, /* the stream is the peer's and unidirectional: it has no sending part */
  WT__SENDING_SEND,
  WT__SENDING_DATA_SENT, /* the application has ended it; `queue.fin_sent` says whether the FIN was sent */
  WT__SENDING_RESET_QUEUED,
  WT__SENDING_RESET_SENT, /* by us, or by QUIC as its answer to STOP_SENDING */
  WT__SENDING_DATA_RECVD,
  WT__SENDING_RESET_RECVD,
};

struct wt__sending {
  struct wt__sendq queue;
  uint64_t acked;      /* the peer has acknowledged all bytes before this offset */
  size_t header_len;   /* the stream header at the beginning of the queue; 0 for the peer's streams */
  uint64_t reset_code; /* on the wire; valid in Reset Queued */
  enum wt__sending_state state;
  bool blocked;       /* the peer's flow control for this stream allows no more bytes */
  bool tell_writable; /* stream.c still has to call `on_writable` */
  bool tell_stop;     /* stream.c still has to call `on_stop_sending` */
};

/* `exists`: false for a unidirectional stream of the peer. `queue_max`: the most bytes that the application
 * may queue. */
void wt__sending_init(struct wt__sending *sending, bool exists, size_t queue_max);
/* Queues the stream header. WT_ERR_NOMEM. */
int wt__sending_add_header(struct wt__sending *sending, const uint8_t *header, size_t len);

/* --- What it can do --- */

/* Whether the application may write. */
static inline bool wt__sending_is_writable(const struct wt__sending *sending) {
  return sending->state == WT__SENDING_SEND;
}
/* Whether the application has ended it, and no reset came after that. */
static inline bool wt__sending_is_ended(const struct wt__sending *sending) {
  return sending->state == WT__SENDING_DATA_SENT || sending->state == WT__SENDING_DATA_RECVD;
}
/* Whether the transport still takes bytes or a reset. */
static inline bool wt__sending_is_open(const struct wt__sending *sending) {
  return sending->state == WT__SENDING_SEND || sending->state == WT__SENDING_DATA_SENT ||
         sending->state == WT__SENDING_RESET_QUEUED;
}
/* Whether there is something for the transport: bytes, or the FIN. */
static inline bool wt__sending_has_output(const struct wt__sending *sending) {
  return wt__sending_is_open(sending) && wt__sendq_pending(&sending->queue);
}
/* Whether it waits for the peer: bytes are unsent or not acknowledged. */
static inline bool wt__sending_waits_for_peer(const struct wt__sending *sending) {
  return wt__sending_is_open(sending) && sending->queue.end > sending->acked;
}
/* How many bytes of the header are not sent yet. */
uint64_t wt__sending_header_left(const struct wt__sending *sending);

/* --- Transitions --- */

/* Send -> Data Sent. */
void wt__sending_end(struct wt__sending *sending);
/* The transport took `len` bytes, and the FIN. Returns how many of the bytes are behind the header. */
uint64_t wt__sending_sent(struct wt__sending *sending, size_t len, bool fin);
/* The peer has acknowledged all bytes before `offset`. Returns true if the application waits for room, and there is
 * room now. */
bool wt__sending_acked(struct wt__sending *sending, uint64_t offset, struct wt__released *released);

/*
 * Begins a reset, or begins a queued one again, perhaps with another code. Drops bytes that were not sent and that the
 * peer does not need.
 *
 * `reliable`: the peer takes RESET_STREAM_AT, and this many bytes at the beginning have to reach it. 0: the peer takes
 * RESET_STREAM only.
 *
 * Returns true if the caller has to send the reset now. The state is then Reset Sent, otherwise Reset Queued, until
 * - RESET_STREAM_AT: the `reliable` bytes are sent,
 * - RESET_STREAM: the header is acknowledged.
 * The caller calls it again then. Returns false, and changes nothing, if the part is not open.
 */
bool wt__sending_reset(struct wt__sending *sending, uint64_t wire_code, uint64_t reliable,
                       struct wt__released *released);
/* The transport has reset it, or does so without waiting for the header: any open state -> Reset Sent. */
void wt__sending_reset_sent(struct wt__sending *sending);
/* QUIC has closed the stream: Data Sent -> Data Recvd; any other state, except None -> Reset Recvd. */
void wt__sending_closed(struct wt__sending *sending);

#endif
