/* SPDX-License-Identifier: MIT */
#ifndef WT_FUZZ_QUIC_H
#define WT_FUZZ_QUIC_H

/*
 * QUIC below an HTTP/3 connection, without packets: a model of what ngtcp2 lets through. It keeps the rules that QUIC
 * enforces before HTTP/3 hears of anything (no bytes behind a FIN, no stream beyond the limits, flow control), so that
 * what a target finds can happen, and it checks what is asked of it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/gauge.h"
#include "core/transport.h"
#include "h3/conn.h"

#define QUIC_STREAMS 48                   /* of each of the four types */
#define QUIC_STREAM_WINDOW (64 * 1024)    /* bytes of a stream that the library has not read */
#define QUIC_WINDOW (256 * 1024)          /* and of all streams together */
#define QUIC_MEMORY_MAX (4 * 1024 * 1024) /* the window, and 8 KiB to send on each stream, and as much again */

struct quic_stream {
  bool open, closed;
  /* From the peer. */
  uint64_t received, consumed;
  bool fin_received, reset_received;
  bool stopped; /* the library sent STOP_SENDING: it gets no more bytes */
  /* To the peer. */
  uint64_t sent, acked, max;
  bool fin_sent, fin_acked, reset_sent, reset_acked;
};

struct quic {
  bool client; /* the library's role */
  struct wt__h3_conn *h3;
  struct quic_stream streams[4][QUIC_STREAMS]; /* by the two low bits of the id, and the rest */
  uint64_t opened[2], allowed[2];              /* streams of the library; index: unidirectional */
  uint64_t received, consumed;                 /* of all streams */
  uint64_t stream_max;                         /* what a stream of the library may send at first */
  uint64_t now;
  bool reset_at; /* the peer takes RESET_STREAM_AT */
  bool closed;
  uint64_t close_code;
  size_t datagram_max;
  struct wt__gauge gauge;
  struct wt__gauge_sum sum;
};

extern const struct wt_transport quic_transport;

void quic_init(struct quic *quic, bool client);
/* The stream, which may not be open; NULL: the peer cannot name it. */
struct quic_stream *quic_stream(struct quic *quic, int64_t id);
bool quic_is_ours(const struct quic *quic, int64_t id); /* of the library */

/* --- What the peer does; what QUIC would refuse does nothing --- */
void quic_recv(struct quic *quic, int64_t id, const uint8_t *data, size_t len, bool fin);
/* `reliable`: the bytes so far are to be read all the same. `more`: bytes that were sent and are lost. */
void quic_recv_reset(struct quic *quic, int64_t id, uint64_t code, uint64_t more, bool reliable);
void quic_recv_stop_sending(struct quic *quic, int64_t id, uint64_t code);
void quic_recv_ack(struct quic *quic, int64_t id, uint64_t len);
void quic_recv_max_stream_data(struct quic *quic, int64_t id, uint64_t more);
void quic_recv_max_streams(struct quic *quic, bool uni, uint64_t more);

/* --- What the loop does --- */
/* Sends at most `packets`, with `room` left in the connection's window. */
void quic_send(struct quic *quic, size_t packets, uint64_t room);
/* Tells of streams that are over in both directions. */
void quic_close_streams(struct quic *quic);

#endif
