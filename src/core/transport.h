/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_TRANSPORT_H
#define WT_CORE_TRANSPORT_H

/*
 * The functions that a layer calls in the layer below it. There is no other way down.
 *
 * A connection has two such structs. `quic` fills in one and gives it to `h3`. `h3` fills in a second one and gives it
 * to `core`: most of its functions call those of `quic`, and some more are about CONNECT streams. Tests fill in one
 * with functions that write down how they were called.
 *
 * None of these functions calls the layer above. `wake` makes the next run of the connection come soon.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/connection.h>

#include "base/gauge.h"
#include "base/vec.h"

struct wt__qlog;

/* Statistics of the connection and its path. Times are in microseconds; bytes are those of UDP payloads. */
struct wt__path_stats {
  uint64_t smoothed_rtt_us, rtt_variation_us, min_rtt_us;
  uint64_t probe_timeout_us; /* with the peer's max_ack_delay in it */
  uint64_t congestion_window, bytes_in_flight;
  uint64_t packets_sent, packets_received, bytes_sent, bytes_received;
};

struct wt_transport {
  /* Opens a stream of ours. WT_ERR_STREAM_LIMIT, WT_ERR_CLOSED, WT_ERR_NOMEM. */
  int (*open_stream)(void *ctx, bool uni, int64_t *id);

  /* Send RESET_STREAM and STOP_SENDING. They do nothing for a stream that is gone or was reset before. After
   * `reset_stream` the transport does not read the stream's bytes again, so they may be freed. */
  void (*reset_stream)(void *ctx, int64_t id, uint64_t wire_code);
  void (*stop_sending)(void *ctx, int64_t id, uint64_t wire_code);

  /* `has_reset_at`: whether the peer takes RESET_STREAM_AT. `reset_stream_at` sends it: the peer still gets the first
   * `reliable_size` bytes of the stream. All `final_size` bytes were sent before, and must stay readable until they are
   * acknowledged or the stream is closed. Both are NULL if unsupported. */
  bool (*has_reset_at)(void *ctx);
  void (*reset_stream_at)(void *ctx, int64_t id, uint64_t wire_code, uint64_t reliable_size, uint64_t final_size);

  /* `len` bytes of stream `id` have been read: extends the flow-control windows of the stream and the connection. If
   * the stream is gone, only the connection's. */
  void (*consume)(void *ctx, int64_t id, uint64_t len);

  /* How many bytes the peer's flow control allows us to send now on stream `id`; -1: on the whole connection. NULL:
   * there is no bound. */
  uint64_t (*stream_room)(void *ctx, int64_t id);

  /* Runs the connection soon, because there is something to send or to do. */
  void (*wake)(void *ctx);

  /* Whether this run of the connection has time for one more piece of work. If not, the work waits for the next run,
   * and other connections run before that. `light`: pieces like the last one take only a microsecond or two, so the
   * clock need not be read for each. NULL: there is always time. */
  bool (*has_time)(void *ctx, bool light);

  /* The largest payload of a QUIC DATAGRAM frame now; 0 if the peer takes no datagrams. */
  size_t (*max_datagram_len)(void *ctx);

  /* Ends the connection with an HTTP/3 code (CONNECTION_CLOSE of type 0x1d) . It only notes this, so other calls may
   * still follow. `reason` is copied. */
  void (*close_connection)(void *ctx, uint64_t wire_code, const char *reason);

  /* The same, but the application has asked for it: callbacks name the application as the cause. */
  void (*leave_connection)(void *ctx, uint64_t wire_code, const char *reason);

  /* Turns PINGs on or off, which keep the connection from timing out. */
  void (*set_keep_alive)(void *ctx, bool on);

  void (*path_stats)(void *ctx, struct wt__path_stats *stats);

  /* The gauge that counts the memory of this connection. Without the function, or if it returns NULL, nothing is
   * counted. */
  struct wt__gauge *(*gauge)(void *ctx);

  /* Where events go. Without the function, or if it returns NULL, the connection is not logged. */
  struct wt__qlog *(*qlog)(void *ctx);

  /* The connection's name in the log and in its qlog, and the peer's address. Borrowed. NULL: there is none. */
  const char *(*name)(void *ctx);
  const char *(*peer_address)(void *ctx); /* for core only */

  /* Information about the connection, for diagnosis. Sets all members except `size`; the one of quic does not set
   * those of HTTP/3. NULL: there is no information. */
  void (*get_info)(void *ctx, struct wt_connection_info *info);

  /* Certificate number `index` of the peer's chain, in DER; number 0 is the leaf. It lives as long as the connection.
   * WT_ERR_NOT_FOUND, WT_ERR_CLOSED. NULL: there is no TLS. */
  int (*peer_certificate)(void *ctx, size_t index, struct wt__vec *der);

  /* TLS exporter (RFC 8446, section 7.5). WT_ERR_STATE before the handshake is done, WT_ERR_CLOSED,
   * WT_ERR_TLS. NULL: there is no TLS. */
  int (*export_keys)(void *ctx, const char *label, const void *context, size_t context_len, void *out, size_t out_len);

  /* For core only; NULL in the struct of quic. `id` is the CONNECT stream, and so the session id. `connect_wake`: the
   * session has bytes for this stream. `connect_reset`: reset it in both directions. `session_closed`: core does not
   * need it any more. */
  void (*connect_wake)(void *ctx, int64_t id);
  void (*connect_reset)(void *ctx, int64_t id, uint64_t wire_code);
  void (*session_closed)(void *ctx, int64_t id);
};

/* The next bytes to send, all of one stream. They stay at their place until they are acknowledged. */
#define WT__SEND_VECS 16
#define WT__SEND_ENOUGH 16384 /* more than a packet takes: no need to look further */
struct wt__send {
  int64_t id;
  bool fin;   /* the stream ends after these bytes */
  bool alone; /* no other stream has bytes: these may fill several packets in a row */
  size_t count;
  struct wt__vec vecs[WT__SEND_VECS];
};

#endif
