/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_CONN_H
#define WT_H3_CONN_H

/*
 * One HTTP/3 connection with WebTransport beside it, of either role (a client's part is in client.h). The QUIC
 * layer reports what arrived and asks what to send; nothing here knows about packets.
 *
 *             quic
 *   arrivals   | ^  next_stream, next_datagram
 *              v |
 *   demux: whose stream is it?  ---- HTTP/3's ----> nghttp3 -> requests, routes
 *              |                                        | wt_upgrade
 *              +------------ 0x41, 0x54 ------------> core (wt__mux)
 *
 * Times are nanoseconds of one monotonic clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/server.h>

#include "base/log.h"
#include "base/vec.h"
#include "core/mux.h"
#include "core/progress.h"
#include "core/transport.h"
#include "h3/access.h"
#include "h3/file_body.h"
#include "h3/routes.h"

struct wt__h3_conn;

/* Counts that all connections of a server add to. */
struct wt__h3_counters {
  uint64_t sessions_open, sessions_total, requests_total;
  uint64_t requests_refused;           /* of them: because the server's memory was full */
  struct wt__progress_counts progress; /* of streams that the peer did not move */
  struct wt__datagram_counts datagrams;
};

/* Shared by all connections of a server; outlives them. */
struct wt__h3_config {
  struct wt__mux_config mux;
  const struct wt__routes *routes;
  struct wt__h3_counters *counters;
  wt_server *server; /* what `wt_request_server` returns; not looked into */
  wt_check_origin_callback check_origin;
  void *check_origin_user_data;
  uint64_t settings_timeout_ms, no_request_timeout_ms;
  uint64_t header_timeout_ms, body_timeout_ms; /* of requests, without progress; 0: never. See also `mux` */
  size_t max_sessions_per_connection;
  uint64_t max_session_rate; /* new ones a second, on a connection; 0: no limit */
  size_t max_header_bytes;
  struct wt__open_files *open_files; /* of the worker; NULL: no bound */
  size_t max_open_files_per_connection;
  unsigned drafts;           /* of `enum wt_draft` */
  bool require_reset_at;     /* no sessions with a peer of draft 15 or later that does not announce RESET_STREAM_AT */
  uint64_t max_streams_bidi; /* what QUIC allows the peer */
  uint64_t max_stream_data;  /* the most one stream can make us hold */
  struct wt__access access;  /* who hears of each request that ends; of sessions `mux.session_ended` tells */
  const struct wt__log *log;
  struct wt__log_limit *session_lines; /* of lines in it about sessions that begin; NULL: none */
};

/* `transport` and `ctx` outlive the connection. WT_ERR_NOMEM. */
int wt__h3_conn_new(struct wt__h3_conn **out, const struct wt__h3_config *config, const struct wt_transport *transport,
                    void *ctx, const char *peer_address, uint64_t now);

/* The connection is over; every handle gets its on_close, with what `ending` says. */
void wt__h3_conn_free(struct wt__h3_conn *conn, const struct wt__ending *ending);

/* The handshake is done, streams can be opened: sends SETTINGS. `max_datagram_frame_size` is the peer's.
 * An error closes the connection. */
void wt__h3_conn_start(struct wt__h3_conn *conn, uint64_t max_datagram_frame_size);

/* --- Arrivals --- */
/* `data` is in order and without gaps; `len` 0 with `fin` is possible. Bytes count as unread until
 * `transport->consume`. A stream of the peer is known from its first bytes, reset or closing on. */
void wt__h3_conn_recv(struct wt__h3_conn *conn, int64_t id, const uint8_t *data, size_t len, bool fin, uint64_t now);
/* A reset follows, but the first `reliable_size` bytes, which have arrived, must still be delivered. */
void wt__h3_conn_recv_promise(struct wt__h3_conn *conn, int64_t id, uint64_t reliable_size);
/* `final_size`: how many bytes the peer sent on it, as QUIC counts. */
void wt__h3_conn_recv_reset(struct wt__h3_conn *conn, int64_t id, uint64_t wire_code, uint64_t final_size);
/* A stream that was stopped here has ended in order, after that many bytes. They do not come any more. */
void wt__h3_conn_recv_final_size(struct wt__h3_conn *conn, int64_t id, uint64_t final_size);
void wt__h3_conn_recv_stop_sending(struct wt__h3_conn *conn, int64_t id, uint64_t wire_code);
/* All bytes of `id` below `offset` were acknowledged. */
void wt__h3_conn_acked(struct wt__h3_conn *conn, int64_t id, uint64_t offset, uint64_t now);
/* The stream is closed in both directions. `has_code`: not orderly, by `wire_code`. */
void wt__h3_conn_stream_closed(struct wt__h3_conn *conn, int64_t id, bool has_code, uint64_t wire_code);
void wt__h3_conn_unblocked(struct wt__h3_conn *conn, int64_t id);
void wt__h3_conn_streams_allowed(struct wt__h3_conn *conn, bool uni);
/* QUIC lets the peer open bidirectional streams up to a count of `max` now. */
void wt__h3_conn_max_remote_bidi(struct wt__h3_conn *conn, uint64_t max);
void wt__h3_conn_recv_datagram(struct wt__h3_conn *conn, const uint8_t *data, size_t len, uint64_t now);

/* --- Sending --- */
/* The next stream with bytes; false: none. Then one of the three follows for `send->id`. Streams of sessions get `room`
 * bytes at most: the rest of the connection's window, without what capsules may need. */
bool wt__h3_conn_next(struct wt__h3_conn *conn, struct wt__send *send, uint64_t room);
void wt__h3_conn_sent(struct wt__h3_conn *conn, int64_t id, size_t len, bool fin);
void wt__h3_conn_blocked(struct wt__h3_conn *conn, int64_t id);      /* the stream's flow control */
void wt__h3_conn_write_closed(struct wt__h3_conn *conn, int64_t id); /* gone or shut down */
/* The next datagram; false: none. `wt__h3_conn_datagram_done` then removes it. */
bool wt__h3_conn_next_datagram(struct wt__h3_conn *conn, struct wt__vec *datagram);
void wt__h3_conn_datagram_done(struct wt__h3_conn *conn, bool sent);
/* `max_datagram_len` of the transport says something else than before. */
void wt__h3_conn_datagram_len_changed(struct wt__h3_conn *conn);

/* --- Time and end --- */
/* Does the work that was put off or is due. Call it after arrivals and before sending. */
void wt__h3_conn_run(struct wt__h3_conn *conn, uint64_t now);
/* When `wt__h3_conn_run` is due; UINT64_MAX: never. */
uint64_t wt__h3_conn_expiry(const struct wt__h3_conn *conn);
/* GOAWAY, drain sessions; new requests are rejected from now on. */
void wt__h3_conn_shutdown(struct wt__h3_conn *conn);
/* Closes all sessions: a close capsule with code 0 and that reason. */
void wt__h3_conn_close_sessions(struct wt__h3_conn *conn, const char *reason);
/* Neither a request nor a session is open. */
bool wt__h3_conn_is_idle(const struct wt__h3_conn *conn);

/* Fills in what is known about the connection, for diagnosis: all members except `size`. Pointers live as
 * `wt_connection_info` says. */
void wt__h3_conn_get_info(const struct wt__h3_conn *conn, struct wt_connection_info *info);
/* The `index`th certificate that the peer showed, as of `struct wt_transport`. WT_ERR_NOT_FOUND, WT_ERR_CLOSED. */
int wt__h3_conn_peer_certificate(const struct wt__h3_conn *conn, size_t index, struct wt__vec *der);

#endif
