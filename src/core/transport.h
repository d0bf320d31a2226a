/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_TRANSPORT_H
#define WT_CORE_TRANSPORT_H

/*
 * What a layer needs of the one below it: the only way down.
 *
 * There are two instances on a connection. `quic` fills one in and gives it to `h3`; `h3` fills in a
 * second, which passes most calls through and adds those about CONNECT streams, and gives it to `core`.
 * Tests fill one in with functions that record what was asked.
 *
 * None of these calls back up from inside. `wake` makes the connection's next pass come soon.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/connection.h>

#include "base/gauge.h"
#include "base/vec.h"

/* What the connection and its path are like, for statistics. Microseconds; bytes are UDP payloads. */
struct wt__path_stats {
  uint64_t smoothed_rtt_us, rtt_variation_us, min_rtt_us;
  uint64_t probe_timeout_us; /* with the peer's max_ack_delay in it */
  uint64_t congestion_window, bytes_in_flight;
  uint64_t packets_sent, packets_received, bytes_sent, bytes_received;
};

struct wt_transport {
  /* Opens a stream of ours. WT_ERR_STREAM_LIMIT, WT_ERR_CLOSED, WT_ERR_NOMEM. */
  int (*open_stream)(void *ctx, bool uni, int64_t *id);

  /* RESET_STREAM and STOP_SENDING. Nothing happens for a stream that is gone or was reset before. After
   * `reset_stream` the transport reads no more of the stream's bytes: they may be freed. */
  void (*reset_stream)(void *ctx, int64_t id, uint64_t wire_code);
  void (*stop_sending)(void *ctx, int64_t id, uint64_t wire_code);

  /* RESET_STREAM_AT, where `has_reset_at` says that the peer takes it: the peer gets the first `reliable_size`
   * bytes of the stream all the same. All `final_size` bytes were sent, and stay readable until they are
   * acknowledged or the stream is closed. NULL both: there is none. */
  bool (*has_reset_at)(void *ctx);
  void (*reset_stream_at)(void *ctx, int64_t id, uint64_t wire_code, uint64_t reliable_size, uint64_t final_size);

  /* `len` bytes of `id` have been read: extends both flow-control windows (the connection's alone if the
   * stream is gone). */
  void (*consume)(void *ctx, int64_t id, uint64_t len);

  /* How many bytes the peer's flow control of stream `id` lets us send now; that of the connection: -1. NULL: there is
   * no bound. */
  uint64_t (*stream_room)(void *ctx, int64_t id);

  /* There is something to send or to do: run the connection soon. */
  void (*wake)(void *ctx);

  /* Whether the run that is under way may go on to the next piece of work. If not, what is left is for the next run,
   * which comes soon, but after those of other connections. `light`: the last piece took a microsecond or two, as a
   * rule, so that not each is worth a look at the clock. NULL: always. */
  bool (*has_time)(void *ctx, bool light);

  /* The largest payload of a QUIC DATAGRAM frame at present; 0 if the peer takes none. */
  size_t (*max_datagram_len)(void *ctx);

  /* Ends the connection with an HTTP/3 code (CONNECTION_CLOSE of type 0x1d). Only notes it; calls that
   * come after are harmless. `reason` is copied. */
  void (*close_connection)(void *ctx, uint64_t wire_code, const char *reason);

  /* The same, because the application wants it: what ends is told so. */
  void (*leave_connection)(void *ctx, uint64_t wire_code, const char *reason);

  /* Whether PINGs are to keep the connection from timing out. */
  void (*set_keep_alive)(void *ctx, bool on);

  void (*path_stats)(void *ctx, struct wt__path_stats *stats);

  /* Where the memory that the connection holds counts. NULL, or returning NULL: nowhere. */
  struct wt__gauge *(*gauge)(void *ctx);

  /* What is known of the connection, for diagnosis; all members but `size` are set. That of quic leaves out what
   * HTTP/3 knows. NULL: nothing is. */
  void (*get_info)(void *ctx, struct wt_connection_info *info);

  /* The `index`th certificate that the peer showed, as DER, the leaf first; it lives as long as the connection.
   * WT_ERR_NOT_FOUND, WT_ERR_CLOSED. NULL: there is no TLS. */
  int (*peer_certificate)(void *ctx, size_t index, struct wt__vec *der);

  /* TLS exporter (RFC 8446, section 7.5). WT_ERR_STATE before the handshake is done, WT_ERR_CLOSED,
   * WT_ERR_TLS. NULL: there is no TLS. */
  int (*export_keys)(void *ctx, const char *label, const void *context, size_t context_len, void *out, size_t out_len);

  /* Of h3 for core alone; NULL in the instance that quic makes. `id` is the CONNECT stream, which is the
   * session id. `connect_wake`: the session has bytes for it. `connect_reset`: end it abruptly in both
   * directions. `session_closed`: core has no more use for it. */
  void (*connect_wake)(void *ctx, int64_t id);
  void (*connect_reset)(void *ctx, int64_t id, uint64_t wire_code);
  void (*session_closed)(void *ctx, int64_t id);
};

/* Bytes of one stream that are to be sent next. They stay where they are until acknowledged. */
#define WT__SEND_VECS 16
#define WT__SEND_ENOUGH 16384 /* more than a packet takes: no need to look further */
struct wt__send {
  int64_t id;
  bool fin;   /* the stream ends behind these bytes */
  bool alone; /* nothing else waits: they may fill one packet after the other */
  size_t count;
  struct wt__vec vecs[WT__SEND_VECS];
};

#endif
