/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_MUX_H
#define WT_CORE_MUX_H

/*
 * The WebTransport half of one connection: its sessions, their streams and datagrams, and streams and datagrams that
 * come before or after their session. It does no I/O: h3 tells it what arrived, and asks what to send.
 *
 *   h3 tells mux:  a session was accepted; streams, bytes, resets, acknowledgements and datagrams arrived
 *   h3 asks mux:   which stream sends next (`wt__mux_next`), which datagram is next
 *   mux calls h3:  the functions of `wt_transport`
 *
 * flow.h and credit.h say how much each may use, sched.h says who is next.
 *
 * The application's callbacks are called only in `wt__mux_run` and in the functions that report arrivals, never while
 * the application calls us. Nothing is freed while a callback runs: objects that ended go to a `todo` list, and
 * `wt__mux_run` frees them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/session.h>

#include "base/gauge.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/pool.h"
#include "core/ending.h"
#include "core/flow.h"
#include "core/measures.h"
#include "core/past.h"
#include "core/progress.h"
#include "core/qlog.h"
#include "core/sched.h"
#include "core/sendq.h"
#include "core/topic.h"
#include "core/transport.h"

/* Session flow control of this end. `initial`: what each session allows the peer at first, as announced in SETTINGS;
 * all zero: no flow control. `max_data`: the largest size to which the window for data grows. */
struct wt__flow_windows {
  struct wt__flow_limits initial;
  uint64_t max_data;
};

/* The function that `wt_session_post` gets. */
typedef void (*wt__session_function)(wt_session *session, void *argument);

/* Counts that all connections of a worker add to: datagrams that were sent, and those that were not. */
struct wt__datagram_counts {
  uint64_t sent, dropped, expired;
  uint64_t longest_delay; /* in nanoseconds, in the queue of those that were sent */
};

struct wt__mux_config {
  size_t max_stream_send_buffer;
  size_t max_datagrams_queued;
  size_t max_early_streams, max_early_datagrams;
  uint64_t early_timeout_ms;
  uint64_t send_timeout_ms;              /* a stream whose peer takes too little is given up after it; 0: never */
  uint64_t min_progress;                 /* bytes that the peer has to take in this time; at least 1 */
  struct wt__progress_counts *progress;  /* the worker's; may be NULL */
  struct wt__datagram_counts *datagrams; /* likewise */
  struct wt__measures *measures;         /* likewise */
  /* Hears of each session after its `on_close`; NULL: nobody does. */
  void (*session_ended)(wt_session *session, const struct wt_close_info *info);
  struct wt__topics *topics; /* the worker's; NULL: sessions cannot subscribe */
  struct wt__flow_windows flow;
  const struct wt__log *log;
  struct wt__pool *pool; /* memory for streams, short messages and datagrams; NULL: from the allocator */
  unsigned worker;       /* the number of the server's thread that runs this connection */
  /* Makes the connection's thread call `wt__session_posted` with these arguments. May be called on any thread.
   * WT_ERR_NOMEM. NULL: unsupported. */
  int (*post)(void *ctx, wt_session *session, wt__session_function function, void *argument);
  void *post_ctx;
};

struct wt__mux {
  const struct wt__mux_config *config;
  const struct wt_transport *transport;
  void *ctx;
  struct wt__gauge *gauge; /* counts the memory; may be NULL */
  struct wt__qlog *qlog;   /* NULL: the connection is not logged */
  uint64_t now;            /* the time that the last call gave, in nanoseconds */

  struct wt__map sessions;          /* session id -> wt_session, all that are not freed */
  struct wt__list session_list;     /* sessions that have not ended */
  struct wt__list ended_sessions;   /* in the order of `linger_until`: the first has the next deadline */
  struct wt__list stopped_sessions; /* in the order of `stop_until`; linked by `stopped` */
  struct wt__list stuck_sessions;   /* ended sessions without a deadline: they wait for QUIC, or for the answer */
  size_t sessions_open;             /* how many have not ended */

  struct wt__sched sched;           /* streams with something to send */
  struct wt__progress_list sending; /* streams whose bytes are not all acknowledged */
  uint64_t sent_total;              /* bytes of all the connection's streams, also those of h3 */
  struct wt__list todo_streams;     /* streams and sessions that `wt__mux_run` has to run */
  struct wt__list todo_sessions;
  struct wt__released released;

  struct wt__ring datagram_sessions; /* sessions with datagrams to send */
  size_t datagram_sessions_len;
  size_t datagrams_out_len;       /* the datagrams of all these sessions */
  struct wt__list fresh_sessions; /* those of them with datagrams whose age has not begun */

  struct wt__list early_streams; /* oldest first: the first has the next deadline */
  size_t early_streams_len;
  struct wt__list refused_streams; /* they wait until QUIC has closed them */
  struct wt__list early_datagrams;
  size_t early_datagrams_len;
  uint64_t early_datagrams_dropped;

  struct wt__past past; /* sessions that ended or were refused */
};

/* The fields that each line of the log about the connection has. */
#define WT__MUX_CONNECTION(mux)                                                               \
  WT__TEXT("connection", (mux)->transport->name ? (mux)->transport->name((mux)->ctx) : NULL), \
      WT__TEXT("peer", (mux)->transport->peer_address ? (mux)->transport->peer_address((mux)->ctx) : NULL)

/* What a session begins with. Strings are copied. */
struct wt__session_params {
  const char *path, *protocol, *peer_address;
  int draft;
  const struct wt__flow_limits *peer_limits; /* from the peer's SETTINGS; NULL: no flow control */
  unsigned urgency;                          /* RFC 9218: 0 (first) to 7 */
  bool unanswered; /* a client's session: `wt__session_answered` or `wt__session_refused` follows */
  const struct wt_session_callbacks *callbacks;
  void *user_data;
};

void wt__mux_init(struct wt__mux *mux, const struct wt__mux_config *config, const struct wt_transport *transport,
                  void *ctx);
/* The connection has ended: calls `on_close` of every session and stream, with the cause in `ending`, and frees
 * everything. Does not call `transport`. */
void wt__mux_free(struct wt__mux *mux, const struct wt__ending *ending);

/* Makes the callbacks that wait, gives new sessions their early streams, and frees what has ended. To be called after
 * every batch of arrivals, and before `wt__mux_next`. */
void wt__mux_run(struct wt__mux *mux, uint64_t now);
/* Whether the last run left work because its time was up. */
static inline bool wt__mux_has_todo(const struct wt__mux *mux) {
  return !wt__list_empty(&mux->todo_streams) || !wt__list_empty(&mux->todo_sessions);
}
/* The time of the next deadline, for which `wt__mux_run` has to be called, in nanoseconds; UINT64_MAX: there
 * is none. */
uint64_t wt__mux_expiry(const struct wt__mux *mux);

/* --- Sessions --- */

/* The CONNECT request on stream `id` is accepted. Early streams and datagrams for it are delivered by
 * the next `wt__mux_run`. WT_ERR_NOMEM. */
int wt__mux_session_new(struct wt__mux *mux, int64_t id, const struct wt__session_params *params, wt_session **out);
/* Removes a session that `wt__mux_session_new` made during the same call of the application: it was not accepted after
 * all. */
void wt__mux_session_undo(wt_session *session);
/* Stream `id` will never be a session, because it is a plain request, or was rejected or reset: refuses what came early
 * for it. */
void wt__mux_session_refused(struct wt__mux *mux, int64_t id);

/* Keeps the message that made the session, for the layer above. `release` frees it together with the session. */
void wt__session_set_message(wt_session *session, void *message, void (*release)(void *message));
/* That message, or NULL. */
const void *wt__session_message(const wt_session *session);

/* The server's answer names the subprotocol. Copied. WT_ERR_NOMEM. */
int wt__session_set_protocol(wt_session *session, const char *protocol);
/* The server has accepted the session: the next `wt__mux_run` makes the callbacks that waited. */
void wt__session_answered(wt_session *session);
/* The server has refused the session, or there will be no answer: ends it, unless the application has done so, and
 * calls `on_close` of its streams and its own. Must not be called while the application calls us. */
void wt__session_refused(wt_session *session, enum wt_party by, uint64_t wire_code);
/* The same, because the connection has ended. */
void wt__session_refused_by_end(wt_session *session, const struct wt__ending *ending);

/* Unique among the sessions of a worker, and never changes: another session may come to the same address. Any thread. */
uint64_t wt__session_number(const wt_session *session);

/* Calls the posted function; for a session that has ended, with NULL instead of it. */
void wt__session_posted(wt_session *session, wt__session_function function, void *argument);

/* The client has changed the session's priority. */
void wt__session_set_urgency(wt_session *session, unsigned urgency);

/* The CONNECT stream brought capsule bytes; its FIN; a reset by the peer. */
void wt__session_recv(wt_session *session, const uint8_t *data, size_t len);
void wt__session_recv_fin(wt_session *session);
void wt__session_recv_reset(wt_session *session, uint64_t wire_code);
/* STOP_SENDING came for the CONNECT stream: we can send nothing more there, but a close capsule of the peer may still
 * come. */
void wt__session_recv_stop_sending(wt_session *session, uint64_t wire_code);
/* GOAWAY came, or this end shuts down: sends WT_DRAIN_SESSION, and calls `on_drain` of every session. */
void wt__mux_drain(struct wt__mux *mux);
/* Closes every session with code 0 and `reason`, except those that the server has not answered yet. */
void wt__mux_close_sessions(struct wt__mux *mux, const char *reason);

/* The bytes that the session has for its CONNECT stream. They are read like a stream's queue. `wt__session_acked`: the
 * next `len` bytes were acknowledged. */
size_t wt__session_peek(wt_session *session, struct wt__vec *vecs, size_t max_vecs, bool *fin);
void wt__session_sent(wt_session *session, size_t len, bool fin);
void wt__session_acked(wt_session *session, uint64_t len);
/* QUIC has closed the CONNECT stream. `session_closed` may be called before or after this. */
void wt__session_connect_closed(wt_session *session);

/* --- Streams --- */

/* The peer has opened a stream whose header names `session_id`. NULL if it is refused, or memory is out: it was then
 * reset and stopped, and the caller has to consume the rest of its bytes. */
wt_stream *wt__mux_stream_new_remote(struct wt__mux *mux, int64_t id, bool uni, int64_t session_id, uint64_t now);
void wt__stream_recv(wt_stream *stream, const uint8_t *data, size_t len, bool fin);
/* The stream's header has `len` bytes. To be called before `wt__stream_recv_reset`. */
void wt__stream_set_recv_header(wt_stream *stream, size_t len);
/* The reset that follows leaves the first `reliable_size` bytes, which count the stream header, to be read. */
void wt__stream_recv_promise(wt_stream *stream, uint64_t reliable_size);
/* The peer has ended a stream that we had stopped: it had `final_size` bytes, which count the stream header. */
void wt__stream_recv_final_size(wt_stream *stream, uint64_t final_size);
/* `final_size` counts the stream header. */
void wt__stream_recv_reset(wt_stream *stream, uint64_t wire_code, uint64_t final_size);
void wt__stream_recv_stop_sending(wt_stream *stream, uint64_t wire_code);
/* The peer has acknowledged all bytes before `offset`, which counts the stream header. */
void wt__stream_acked(wt_stream *stream, uint64_t offset);
/* The peer extended the stream's window. */
void wt__stream_unblocked(wt_stream *stream);
/* QUIC has closed the stream. The caller must not use the pointer after this. */
void wt__stream_closed(wt_stream *stream);
/* The peer allows more streams of ours. */
void wt__mux_streams_allowed(struct wt__mux *mux, bool uni);

/* The next stream that sends, and its bytes. False: there is none. The caller then calls one of the next three. */
bool wt__mux_next(struct wt__mux *mux, struct wt__send *send, wt_stream **stream);
void wt__stream_sent(wt_stream *stream, size_t len, bool fin);
void wt__stream_blocked(wt_stream *stream);      /* by the peer's flow control, until `wt__stream_unblocked` */
void wt__stream_write_closed(wt_stream *stream); /* the transport takes no more bytes of it */

/* --- Datagrams --- */

/* A QUIC DATAGRAM came. H3_ID_ERROR and H3_DATAGRAM_ERROR close the connection. */
void wt__mux_recv_datagram(struct wt__mux *mux, const uint8_t *data, size_t len, uint64_t now);
/* The next datagram to send, with its header. Sessions take turns, and each sends its oldest one first. Drops those that
 * are too old for their session. False: there is none. The caller then calls `wt__mux_datagram_done`, which removes it. */
bool wt__mux_next_datagram(struct wt__mux *mux, struct wt__vec *datagram);
void wt__mux_datagram_done(struct wt__mux *mux, bool sent);
/* `max_datagram_len` of the transport has changed: the next `wt__mux_run` tells all sessions. */
void wt__mux_datagram_len_changed(struct wt__mux *mux);

#endif
